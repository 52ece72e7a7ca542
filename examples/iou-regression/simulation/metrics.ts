/** The losses by the name the command line and the page give them. */
import { innerIou, mpdiou, nwd } from '../../../src/iou/factories.ts';
import { generatedGradients } from '../../../src/iou/generated/gradients.ts';
import type { Metric, MetricName } from '../../../src/iou/types.ts';

/** The experiment's own. */
export const paperLosses = ['iou', 'giou', 'diou', 'ciou'] as const;

/** Those that a factory makes, with parameters that suit boxes of area 1 in a picture of 20×20. */
const made: Readonly<Record<string, () => Metric>> = {
  mpdiou: () => mpdiou({ width: 20, height: 20 }),
  nwd: () => nwd({ constant: 1 }),
  innerCiou: () => innerIou({ base: 'ciou', ratio: 1.25 }),
};

export const lossNames: readonly string[] = [
  ...new Set<string>([...paperLosses, ...Object.keys(generatedGradients), ...Object.keys(made)]),
];

/** A loss's name as papers write it. */
export function lossTitle(name: string): string {
  const titles: Record<string, string> = {
    alphaIou: 'α-IoU',
    alphaGiou: 'α-GIoU',
    alphaDiou: 'α-DIoU',
    alphaCiou: 'α-CIoU',
    innerCiou: 'Inner-CIoU',
    shapeIou: 'Shape-IoU',
    mpdiou: 'MPDIoU',
    nwd: 'NWD',
    iof: 'IoF',
    ioa: 'IoA',
    ios: 'IoS',
    piou: 'PIoU',
    piou2: 'PIoU v2',
  };
  return titles[name] ?? name.replace(/iou$/, 'IoU').replace(/^[a-z]/, (letter) => letter.toUpperCase());
}

/** Throws a RangeError that lists the names for one that is none. */
export function metricNamed(name: string): Metric {
  if (!lossNames.includes(name)) {
    throw new RangeError(`no loss '${name}'; there are ${lossNames.join(', ')}`);
  }
  return Object.hasOwn(made, name) ? made[name]!() : (name as MetricName);
}
