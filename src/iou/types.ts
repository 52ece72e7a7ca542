/** Placeholder of the metric type until the variants land. */
export type Metric = 'iou' | 'giou' | 'diou' | 'ciou';
