/**
 * The DETR family with a mask a query: class logits `[N, Q, C]`, boxes `[N, Q, 4]` and mask logits `[N, Q, h, w]` (RF-DETR's
 * segmentation export `dets`, `labels`, `masks`; D-FINE-seg's `pred_logits`, `pred_boxes`, `pred_masks`).
 */
import { type DetrOptions, decodeDetr } from './detr.ts';
import { layoutError } from './layout.ts';
import { gatherColumn } from './picks.ts';
import { readPrototypes } from './prototypes.ts';
import type { Candidates, ModelOutputs } from './types.ts';

/**
 * Detections as `decodeDetr` gives them, each with the mask of its query: the queries' masks are the prototypes, and the
 * coefficients are 1 for the own query and 0 for the others. A mask's pixels are those above 0 of the bilinearly enlarged
 * logits, as RF-DETR's `PostProcess` has them, but, as all masks here, inside the box only.
 *
 * Throws `LayoutError` where the masks are missing or are not as many as the queries.
 */
export function decodeDetrSeg(outputs: ModelOutputs, options: DetrOptions): Candidates {
  const prototypes = readPrototypes(outputs, options);
  const candidates = decodeDetr(outputs, options);
  const channels = prototypes?.channels ?? 0;
  const queries = Object.values(outputs).some(({ dims }) => dims.length === 3 && dims[1] === channels);
  if (prototypes === null || !queries) {
    const layout = 'class logits [N, queries, classes], boxes [N, queries, 4] and masks [N, queries, h, w]';
    throw layoutError('detr-seg', layout, outputs, options.input);
  }
  const maskCoefficients = gatherColumn(channels, (row, column, at) => {
    column[at + row] = 1;
  });
  return { ...candidates, maskCoefficients, prototypes };
}
