/**
 * The geometric terms a variant may name. Each is built when first asked for and labelled, so generated code reads like
 * the paper.
 *
 * Where libraries protect a division differently (an eps added to the union, a floor under it …), a term goes through the
 * {@link Guards}; `null` guards are torchvision's matrix functions, which have none.
 */
import {
  add,
  angle,
  type Expression,
  input,
  label,
  max,
  min,
  mul,
  type Operand,
  ratio,
  square,
  sub,
} from './expression.ts';

/** What libraries add to, or put under, the quantities they divide by. Absent entries do nothing. */
export interface Guards {
  /** Added to the union. */
  readonly unionEps?: Operand;
  /** The union is at least this (after adding). */
  readonly unionFloor?: Operand;
  /** Added to the enclosing area where it divides. */
  readonly enclosingEps?: Operand;
  /** The enclosing area is at least this. */
  readonly enclosingFloor?: Operand;
  /** GIoU's (C − U): how much of `enclosingEps` and of `unionEps` enters there too (0 or 1). */
  readonly penaltyEnclosingEps?: Operand;
  readonly penaltyUnionEps?: Operand;
  /** Added to the squared diagonal (and other squared lengths that divide). */
  readonly diagonalEps?: Operand;
  /** Added to each height before areas are formed. */
  readonly heightEps?: Operand;
  /** Added to each height before shapes are compared (aspect angles, SIoU's shape cost). */
  readonly shapeHeightEps?: Operand;
  /** SIoU: added to the offsets of b's centre from a's. */
  readonly centreEps?: Operand;
  /** SIoU: the enclosing width and height are at least this where they divide. */
  readonly extentFloor?: Operand;
  /** CIoU: added to α's divisor. */
  readonly alphaEps?: Operand;
  /** CIoU: α is 0 unless IoU exceeds this. */
  readonly alphaGate?: Operand;
  /** The similarity is clamped to these, where the library clamps it. */
  readonly lowest?: Operand;
  readonly highest?: Operand;
}

/** One box's own terms. */
export class BoxTerms {
  readonly x1: Expression;
  readonly y1: Expression;
  readonly x2: Expression;
  readonly y2: Expression;

  constructor(
    readonly side: string,
    private readonly guards: Guards,
    corners?: readonly [Expression, Expression, Expression, Expression],
  ) {
    [this.x1, this.y1, this.x2, this.y2] = corners ?? [
      input(`${side}x1`),
      input(`${side}y1`),
      input(`${side}x2`),
      input(`${side}y2`),
    ];
  }

  private named(name: string, expression: Expression): Expression {
    return label(`${this.side}${name}`, expression);
  }

  get width(): Expression {
    return this.named('Width', sub(this.x2, this.x1));
  }

  get height(): Expression {
    return this.named('Height', add(sub(this.y2, this.y1), this.guards.heightEps ?? 0));
  }

  /** The height as shapes are compared by. */
  get shapeHeight(): Expression {
    return add(this.height, this.guards.shapeHeightEps ?? 0);
  }

  get area(): Expression {
    return this.named('Area', mul(this.width, this.height));
  }

  /** atan(width / height). */
  get aspectAngle(): Expression {
    return this.named('AspectAngle', angle(this.width, this.shapeHeight));
  }
}

/** Terms of a pair of boxes: `a` (the prediction, the row) and `b` (the target, the column). */
export class Terms {
  readonly a: BoxTerms;
  readonly b: BoxTerms;

  constructor(
    readonly guards: Guards = {},
    boxes?: { readonly a: BoxTerms; readonly b: BoxTerms },
    /** Before the names of the terms, where these are not the boxes' own. */
    private readonly prefix = '',
  ) {
    this.a = boxes?.a ?? new BoxTerms('a', guards);
    this.b = boxes?.b ?? new BoxTerms('b', guards);
  }

  private named(name: string, expression: Expression): Expression {
    return label(
      this.prefix === '' ? name : `${this.prefix}${name[0]!.toUpperCase()}${name.slice(1)}`,
      expression,
    );
  }

  /** Sides of the box both share: x1, y1, x2, y2, in the wrong order along an axis where a gap lies between them. */
  private get shared(): readonly [Expression, Expression, Expression, Expression] {
    const { a, b } = this;
    return [max(a.x1, b.x1), max(a.y1, b.y1), min(a.x2, b.x2), min(a.y2, b.y2)];
  }

  get intersectionWidth(): Expression {
    const [x1, , x2] = this.shared;
    return this.named('intersectionWidth', max(sub(x2, x1), 0));
  }

  get intersectionHeight(): Expression {
    const [, y1, , y2] = this.shared;
    return this.named('intersectionHeight', max(sub(y2, y1), 0));
  }

  get intersection(): Expression {
    return this.named('intersection', mul(this.intersectionWidth, this.intersectionHeight));
  }

  /** Area of the union as it is. */
  get union(): Expression {
    return this.named('unionArea', sub(add(this.a.area, this.b.area), this.intersection));
  }

  /** An area as it divides an intersection, with the library's eps or floor. */
  guarded(area: Expression): Expression {
    return floored(add(area, this.guards.unionEps ?? 0), this.guards.unionFloor);
  }

  /** Intersection over union; 0 where both boxes have no area. */
  get iou(): Expression {
    return this.named('iou', ratio(this.intersection, this.guarded(this.union), 0));
  }

  get enclosingWidth(): Expression {
    return this.named('enclosingWidth', sub(max(this.a.x2, this.b.x2), min(this.a.x1, this.b.x1)));
  }

  get enclosingHeight(): Expression {
    return this.named('enclosingHeight', sub(max(this.a.y2, this.b.y2), min(this.a.y1, this.b.y1)));
  }

  get enclosingArea(): Expression {
    return this.named('enclosingArea', mul(this.enclosingWidth, this.enclosingHeight));
  }

  /**
   * Area of the enclosing box outside the union: C − U without the difference of two large areas, so that float32 keeps
   * its digits, and 0 where one box contains the other (also where a GPU fuses products with sums).
   */
  get emptyArea(): Expression {
    const { a, b } = this;
    const [x1, y1, x2, y2] = this.shared;
    // how far a box reaches beyond what both share, along an axis
    const beyondX = (box: BoxTerms) => add(sub(x1, box.x1), sub(box.x2, x2));
    const beyondY = (box: BoxTerms) => add(sub(y1, box.y1), sub(box.y2, y2));
    const corners = add(mul(beyondX(a), beyondY(b)), mul(beyondX(b), beyondY(a)));
    // the gap between boxes: along both axes it was counted twice, along one the rest of the other axis is missing
    const gapX = sub(this.intersectionWidth, sub(x2, x1));
    const gapY = sub(this.intersectionHeight, sub(y2, y1));
    return add(corners, add(mul(gapX, sub(y2, y1)), mul(this.intersectionWidth, gapY)));
  }

  /** Part of the enclosing box outside the union; 0 where the enclosing box has no area. */
  get emptyShare(): Expression {
    const { enclosingEps, enclosingFloor, penaltyEnclosingEps, penaltyUnionEps, unionFloor } = this.guards;
    const divisor = floored(add(this.enclosingArea, enclosingEps ?? 0), enclosingFloor);
    const enclosing = floored(add(this.enclosingArea, penaltyEnclosingEps ?? 0), enclosingFloor);
    const union = floored(add(this.union, penaltyUnionEps ?? 0), unionFloor);
    return this.named('emptyShare', ratio(sub(enclosing, union), divisor, 0));
  }

  /** Centre of a minus centre of b; formed from corner differences, which stay exact far from the origin. */
  get centreDeltaX(): Expression {
    return this.named('centreDeltaX', mul(add(sub(this.a.x1, this.b.x1), sub(this.a.x2, this.b.x2)), 0.5));
  }

  get centreDeltaY(): Expression {
    return this.named('centreDeltaY', mul(add(sub(this.a.y1, this.b.y1), sub(this.a.y2, this.b.y2)), 0.5));
  }

  get centreDistanceSquared(): Expression {
    return this.named('centreDistanceSquared', add(square(this.centreDeltaX), square(this.centreDeltaY)));
  }

  /** c² of the enclosing box, with its eps. */
  get diagonalSquared(): Expression {
    return this.named(
      'diagonalSquared',
      add(square(this.enclosingWidth), square(this.enclosingHeight), this.guards.diagonalEps ?? 0),
    );
  }

  /** ρ² / c²: squared centre distance relative to the enclosing diagonal. */
  get centreShare(): Expression {
    return this.named('centreShare', ratio(this.centreDistanceSquared, this.diagonalSquared, 0));
  }

  /** Width of a minus width of b. */
  get widthDelta(): Expression {
    return this.named('widthDelta', sub(this.a.width, this.b.width));
  }

  get heightDelta(): Expression {
    return this.named('heightDelta', sub(this.a.height, this.b.height));
  }

  /** A squared length as it divides. */
  guardedSquare(length: Expression): Expression {
    return add(square(length), this.guards.diagonalEps ?? 0);
  }

  /** CIoU's v: squared difference of the aspect angles, in (0, 1]. */
  get aspectDifference(): Expression {
    return this.named(
      'aspectDifference',
      mul(4 / Math.PI ** 2, square(sub(this.b.aspectAngle, this.a.aspectAngle))),
    );
  }

  /**
   * The boxes shrunk or grown about their centres, seen from a's top-left corner: corners relative to it keep their digits
   * far from the origin, also in float32.
   */
  scaled(factor: Operand, prefix: string): Terms {
    const half = mul(0.5, sub(1, factor));
    const { a } = this;
    const scale = (box: BoxTerms): BoxTerms => {
      const byX = mul(half, sub(box.x2, box.x1));
      const byY = mul(half, sub(box.y2, box.y1));
      return new BoxTerms(`${prefix}${box.side.toUpperCase()}`, this.guards, [
        box === a ? byX : add(sub(box.x1, a.x1), byX),
        box === a ? byY : add(sub(box.y1, a.y1), byY),
        sub(sub(box.x2, a.x1), byX),
        sub(sub(box.y2, a.y1), byY),
      ]);
    };
    return new Terms(this.guards, { a: scale(a), b: scale(this.b) }, prefix);
  }

  /** The similarity within the library's limits, where it has any. */
  clamped(similarity: Expression): Expression {
    const { lowest, highest } = this.guards;
    const raised = lowest === undefined ? similarity : max(similarity, lowest);
    return highest === undefined ? raised : min(raised, highest);
  }
}

function floored(value: Expression, floor: Operand | undefined): Expression {
  return floor === undefined ? value : max(value, floor);
}
