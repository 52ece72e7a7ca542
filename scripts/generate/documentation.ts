/** The table of IoU variants in docs/iou-variants.md, made from the variant files so that it cannot lag behind. */

import { buildGraph } from '../../src/iou/formula/graph.ts';
import { fullGuards } from '../../src/iou/formula/guards.ts';
import { Terms } from '../../src/iou/formula/terms.ts';
import { iouItself, neverAboveIou, noBound, type Variant } from '../../src/iou/formula/variant.ts';
import { loadVariants } from './files.ts';

function boundOf(variant: Variant): string {
  if (variant.minIou === iouItself || variant.minIou === neverAboveIou) return 't';
  return variant.minIou === noBound ? '–' : 'its own';
}

function detaches(variant: Variant): boolean {
  return buildGraph([variant.formula(new Terms(fullGuards))]).nodes.some(
    (node) => node.operation === 'detach',
  );
}

const factories = `| factory | what |
|---|---|
| \`mpdiou({ width, height })\` | MPDIoU for an image of that size |
| \`nwd({ constant })\` | NWD with the data set's mean object size |
| \`shapeIou({ scale })\` | Shape-IoU with the data set's scale |
| \`piou2({ lambda })\` | Powerful-IoU v2 with its attention parameter |
| \`alphaIou({ base, alpha })\` | the α family of IoU, GIoU, DIoU, CIoU |
| \`distanceIou({ exponent })\` | DIoU with an exponent on the distance share: 0.6 in darknet, 0.9 in Cluster-DIoU-NMS |
| \`completeIou({ alpha })\` | CIoU with α \`'always'\`, \`'gated'\` at IoU > 0.5, or \`'undetached'\` |
| \`innerIou({ base, ratio })\` | Inner-IoU of any metric (Zhang et al. 2023, arXiv 2311.02877) |
| \`focalerIou({ base, d, u })\` | Focaler-IoU of any metric (Zhang and Zhang 2024, arXiv 2401.10525) |
| \`defineMetric({ name, formula })\` | a metric of your own ([example](matching.md#a-metric-and-a-matcher-of-your-own)); it works on the CPU, in WGSL, and its gradient is derived |`;

const presets = `| preset | iou, iof, ios | giou | diou, ciou | zero area |
|---|---|---|---|---|
| none, \`torchvision\` | no eps | no eps | 1e-7 on c² and on α's divisor | IoU 0 |
| \`torchvision\`, losses | union + 1e-7 | union and C + 1e-7 | also c², α + 1e-7 | IoU 0 |
| \`detectron2\` | no eps; losses as torchvision's | | | IoU 0 |
| \`ultralytics\` | divisor + 1e-7 | heights, union and C + 1e-7, also in C − U | also c², α + 1e-7 | IoU 0 |
| \`mmdetection\` | divisor ≥ 1e-6 | union and C ≥ 1e-7 | union, c² + 1e-7; CIoU: heights + 1e-7, α gated at IoU > 0.5 without eps, S in [−1, 1]; SIoU: heights, offsets + 1e-7, extents ≥ 1e-7, S in [−1, 1] | IoU 0 |`;

const notCopied = `Some libraries form 0/0. No preset does; these NaN are not copied:

- torchvision's \`box_iou\`, \`generalized_box_iou\`, \`distance_box_iou\`, \`complete_box_iou\`, detectron2's
  \`matched_pairwise_iou\`, DETR's \`box_iou\` and mmcv's CPU operator on two boxes without area: the pair has IoU 0 (and
  an empty share of 0 where the enclosing box has no area).
- torchvision's and detectron2's aspect term on a box of width 0 and height 0, \`atan(0 / 0)\`: the angle is 0.
- mmdetection's \`ciou_loss\`, whose α has no eps, on identical boxes: v and α are 0.
- YOLOv6's SIoU on boxes with one centre, whose angle is 0/0: the angle cost is 0.
- Shape-IoU's and SIoU's size ratios where both sides are 0: the cost is 0. Powerful-IoU on a target without width or
  height: the penalty is its limit.

mmdetection's SIoU default (\`neg_gamma=False\`) rewards distance; the preset has the paper's sign (\`neg_gamma=True\`).
mmdetection's \`eiou_loss\` is Extended IoU, another thing than \`'eiou'\`. torchvision's \`complete_box_iou_loss\` gives
its \`eps\` to α only and keeps 1e-7 in the rest; here \`eps\` replaces them all.`;

const speed = `\`npx tsx bench/iou.ts --check\` compares with torchvision (as it comes, and with glibc told to recycle memory),
onnxruntime and tfjs on one thread, after checking that all compute the same. One run on two busy cores (AMD EPYC, Node 20,
29 November 2026; processor time, ratios to boxops SIMD):

| job | boxops SIMD | JavaScript | torchvision 0.14 | recycled | onnxruntime-node | onnxruntime-web | tfjs-wasm |
|---|---|---|---|---|---|---|---|
| IoU matrix 8400 × 100 | 0.67 ms | 8.1x | 52x | 19x | 9.6x | 15x | 600x |
| the same, crowded boxes | 0.59 ms | 12x | 34x | 20x | 9.8x | 13x | 680x |
| CIoU matrix 8400 × 100 | 2.7 ms | 8.6x | 14x | 11x | 5.5x | 5.2x | 320x |
| the same, crowded boxes | 2.5 ms | 9.8x | 17x | 12x | 4.4x | 5.6x | 338x |
| IoU matrix 5000 × 5000 | 30 ms | 4.8x | 56x | 13x | 6.5x | | |
| best match by IoU 120 000 × 100 | 13 ms | 7.6x | 31x | 13x | 4.6x | | |
| the same, crowded boxes | 9.8 ms | 9.9x | 43x | 14x | 6.5x | | |

A metric of your own, or a variant whose options have no generated code, is run by an evaluator: at most 8 times the
generated loop (\`npx tsx bench/evaluator.ts --check\`).

Writing the matrix alone takes 13 % of the first job's time and 15 % of the 5000 × 5000 one's. What torchvision takes as it
comes is mostly page faults, and varies with the machine: from 21 to 61 times for IoU matrices, 11 to 17 times for CIoU's, in
the runs of that day. The JavaScript loops run in a process of their own and take 1/2.8 to 1/6.6 of its time, 1/1.6 to 1/2.5 of
the recycled one.`;

/** Text of docs/iou-variants.md. */
export async function variantsTable(): Promise<string> {
  const rows = (await loadVariants()).map(({ variant, source }) => {
    const name = source.needsParameters ? `\`${variant.name}(…)\`` : `\`'${variant.name}'\``;
    const parameters = Object.entries(variant.parameters ?? {}).map(([key, value]) => `${key} ${value}`);
    return `| ${[
      name,
      source.title,
      variant.symmetric ? 'yes' : 'no',
      detaches(variant) ? 'α' : '',
      source.needsParameters ? '' : parameters.join(', '),
      boundOf(variant),
      source.paper,
    ].join(' | ')} |`;
  });
  return [
    '<!-- Generated by scripts/generate.ts. Do not edit. -->',
    '# IoU variants',
    '',
    'Each variant is one formula in `src/iou/variants/`. From it come the loops, the WGSL and the gradient, so every',
    'function that takes a `metric` takes every variant. "Bound" is the plain IoU that a similarity above t implies, by',
    'which suppression prunes. Box a is the prediction (the row), box b the target (the column).',
    '',
    '| metric | what | symmetric | detached | parameters | bound | source |',
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
    '## With parameters, and from other metrics',
    '',
    factories,
    '',
    '## Presets',
    '',
    presets,
    '',
    '`eps` replaces the numbers; `pixelOffset: 1` counts the last pixel.',
    '',
    '## What is not copied',
    '',
    notCopied,
    '',
    '## Precision',
    '',
    'float32 boxes are compared in float32 steps by `iou`, `iof`, `ios`, `giou`, `diou` and `ciou` (plain IoU equals',
    "torchvision's float32 value bit for bit), and through float64 by all else; results are within 1e-6 of float64. Calls",
    'with sides below 2⁻⁵⁰ or coordinates above 2⁶⁰, whose float32 products would leave the range, run in float64.',
    '',
    '## Speed',
    '',
    speed,
    '',
  ].join('\n');
}
