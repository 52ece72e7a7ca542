/**
 * YOLOv9 before its reparameterisation: two outputs `[N, 4 + C, A]`, of an auxiliary branch and of the main one, perhaps with
 * the raw levels of both. The original repository reads the second (`detect_dual.py`, `val_dual.py`: `pred[0][1]`).
 */
import { preprocessingPresets as presets } from '../preprocessing.ts';
import { layerChannels, show } from './facts.ts';
import { candidate, type Rule, score } from './rule.ts';

export const dualRule: Rule = (facts) => {
  const tables = facts.outputs.filter(({ dims }) => dims.length === 3);
  const others = facts.outputs.filter(({ dims }) => dims.length !== 3);
  const [auxiliary, main] = tables;
  if (tables.length !== 2 || auxiliary === undefined || main === undefined) return [];
  const [, rows = null, anchors = null] = main.dims;
  const same = auxiliary.dims.every((dim, i) => dim === main.dims[i]);
  if (!same || rows === null || rows < 5 || (anchors !== null && anchors < rows)) return [];
  // beside them only the levels the two are made from, 64 bins and the classes each
  if (others.some(({ dims }) => dims.length !== 4 || dims[1] !== rows + 60)) return [];
  const classCount = rows - 4;
  if (!tables.every(({ tail }) => tail.bins !== null && layerChannels(tail).includes(classCount))) return [];
  return [
    candidate(facts, {
      head: 'yolov8',
      family: 'YOLOv9 (dual)',
      score: score.read,
      reasons: [
        `outputs ${auxiliary.name} and ${main.name} are both ${show(main.dims)}: columns of box and ${classCount} classes`,
        `YOLOv9 writes its auxiliary branch first: ${main.name} is read, as its detect_dual.py does`,
      ],
      classCount,
      convention: presets.ultralytics,
      headOptions: { output: main.name },
    }),
  ];
};
