/** The priors of a configuration, made once for each size of the input. */
import {
  type Anchors,
  detectron2Anchors,
  efficientDetAnchors,
  mmdetectionAnchors,
  mmdetectionSsdAnchors,
  pointPriors,
  retinaFacePriors,
  ssd300DefaultBoxes,
  ssdDefaultBoxes,
  torchvisionAnchors,
  ultraFacePriors,
  yoloAnchors,
} from '../anchors/index.ts';
import type { Size } from '../boxes/types.ts';
import { OptionError } from '../errors.ts';
import type { TargetConfig } from './config.ts';

/** Options that were given. */
function options<T extends { readonly kind: string }>({ kind: _, ...rest }: T): Omit<T, 'kind'> {
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as Omit<
    T,
    'kind'
  >;
}

function makePriors(config: Exclude<TargetConfig['priors'], { kind: 'queries' }>, image: Size): Anchors {
  switch (config.kind) {
    case 'torchvision':
      return torchvisionAnchors({ image, ...options(config) } as Parameters<typeof torchvisionAnchors>[0]);
    case 'detectron2':
      return detectron2Anchors({ image, ...options(config) } as Parameters<typeof detectron2Anchors>[0]);
    case 'mmdetection':
      return mmdetectionAnchors({ image, ...options(config) } as Parameters<typeof mmdetectionAnchors>[0]);
    case 'mmdetection-ssd':
      return mmdetectionSsdAnchors({ image, ...options(config) } as Parameters<
        typeof mmdetectionSsdAnchors
      >[0]);
    case 'efficientdet':
      return efficientDetAnchors({ image, ...options(config) } as Parameters<typeof efficientDetAnchors>[0]);
    case 'retinaface':
      return retinaFacePriors({ image });
    case 'ultraface':
      return ultraFacePriors({ image });
    case 'points':
      return pointPriors({ image, ...options(config) } as Parameters<typeof pointPriors>[0]);
    case 'yolo':
      return yoloAnchors({ image, ...options(config) } as Parameters<typeof yoloAnchors>[0]);
    case 'ssd':
      return ssdDefaultBoxes({ image, ...options(config) } as Parameters<typeof ssdDefaultBoxes>[0]);
    case 'ssd300':
      if (image.width !== 300 || image.height !== 300) {
        throw new OptionError(
          `the default boxes of ssd300 are for an input of 300×300, got ${image.width}×${image.height}`,
          { image },
        );
      }
      return ssd300DefaultBoxes();
  }
}

/** Sizes whose priors are kept; inputs of proportions that vary have a few dozen. */
const keptSizes = 64;

/** Gives the priors of an input size; null for queries, which are predicted. */
export class PriorSource {
  readonly #config: TargetConfig['priors'];
  readonly #made = new Map<string, Anchors>();

  constructor(config: TargetConfig['priors']) {
    this.#config = config;
  }

  of(input: Size): Anchors | null {
    if (this.#config.kind === 'queries') return null;
    const key = `${input.width}×${input.height}`;
    let made = this.#made.get(key);
    if (made === undefined) {
      made = makePriors(this.#config, input);
      const [oldest] = this.#made.keys();
      if (this.#made.size >= keptSizes) this.#made.delete(oldest!);
      this.#made.set(key, made);
    }
    return made;
  }
}

/** Number of the level a prior lies on. */
export function levelOf(priors: Anchors, anchor: number): number {
  let level = 0;
  while (level + 1 < priors.levels.length && priors.levels[level + 1]!.start <= anchor) level++;
  return level;
}
