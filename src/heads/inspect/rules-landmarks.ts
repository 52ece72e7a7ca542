/**
 * YOLOv5-face: rows that look like YOLOv5's with more classes. Its graph joins them from pieces: centre, size, objectness, one
 * piece a landmark, classes.
 */
import { preprocessingPresets as presets } from '../preprocessing.ts';
import { type Facts, type OutputFacts, show } from './facts.ts';
import { candidate, type Rule, score } from './rule.ts';

/** Landmarks of the rows an output is joined from; 0 where there are none. */
export function landmarksOf({ graph }: Facts, { name, dims }: OutputFacts): number {
  const columns = dims[2] ?? 0;
  const seen = new Set<string>();
  const queue = [name];
  for (let i = 0; i < queue.length && i < 200; i++) {
    const node = graph.producers.get(queue[i]!);
    if (node === undefined || graph.absorbed.has(node)) continue;
    // centre, size, objectness and classes are the other four
    const landmarks = node.inputs.length - 4;
    const axis = node.attributes.get('axis')?.int ?? -1;
    // rows of a level have rank 5 or 3; levels are joined along axis 1
    const across = axis === -1 || axis === 4 || axis === 2;
    if (node.op === 'Concat' && across && landmarks >= 4 && columns >= 6 + 2 * landmarks) return landmarks;
    if (!/^(Concat|Reshape|Transpose|Identity|Cast)$/.test(node.op)) continue;
    for (const input of node.inputs) {
      if (graph.constants.has(input) || seen.has(input)) continue;
      seen.add(input);
      queue.push(input);
    }
  }
  return 0;
}

export const landmarkRule: Rule = (facts) => {
  const [output] = facts.outputs;
  if (facts.outputs.length !== 1 || output!.dims.length !== 3) return [];
  const landmarks = landmarksOf(facts, output!);
  if (landmarks === 0) return [];
  const classCount = output!.dims[2]! - 5 - 2 * landmarks;
  const faces = landmarks === 5 && classCount === 1;
  return [
    candidate(facts, {
      head: 'yolov5-face',
      family: faces ? 'YOLOv5-face' : `YOLOv5-face (${landmarks} landmarks)`,
      score: score.read,
      reasons: [
        `output ${output!.name} is ${show(output!.dims)}: rows of box, objectness, ${landmarks} landmarks and ${classCount} class${classCount > 1 ? 'es' : ''}`,
        `the graph joins them from ${landmarks + 4} pieces`,
      ],
      classCount,
      convention: presets.ultralytics,
      headOptions: { classCount },
    }),
  ];
};
