/**
 * Prints the embedded model's figures on fresh scenes, through boxops on onnxruntime-web:
 *
 *   npx tsx models/digits/evaluate.ts [--seed 2026] [--scenes 300] [--model models/digits/digits.onnx]
 */
import { Command } from 'commander';
import { createDetector } from '../../src/detector/index.ts';
import { examine } from './evaluation.ts';

const options = new Command('evaluate')
  .option('--seed <n>', 'seed of the scenes', Number, 2026)
  .option('--scenes <n>', 'how many', Number, 300)
  .option('--split <name>', 'heldOut or training', 'heldOut')
  .option('--model <file>', 'ONNX file', 'models/digits/digits.onnx')
  .parse()
  .opts<{ seed: number; scenes: number; split: 'heldOut' | 'training'; model: string }>();

const detector = await createDetector({ model: options.model });
const figures = await examine(detector, options);
detector.dispose();

const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
const lines = [
  `${figures.scenes} ${options.split} scenes of seed ${options.seed}, ${figures.digits} digits`,
  `mAP50 ${figures.mAP50.toFixed(3)}, mAP ${figures.mAP.toFixed(3)}`,
  `AP50 by digit: ${figures.perClass.map((ap, digit) => `${digit} ${ap.toFixed(2)}`).join(', ')}`,
  ...figures.perSize.map(
    ({ from, to, digits, found, right }) =>
      `${from}–${to} px: ${digits} digits, found ${percent(found)}, with the right class ${percent(right)}`,
  ),
];
process.stdout.write(`${lines.join('\n')}\n`);
