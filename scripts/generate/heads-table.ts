/** The table of heads in docs/heads.md, made from the registry so that it cannot lag behind. */
import { type Head, heads, type PreprocessingChoice, preprocessingPresets } from '../../src/heads/index.ts';

const fits: Record<PreprocessingChoice['fit'], string> = {
  stretch: 'stretched',
  letterbox: 'letterbox',
  'letterbox-top-left': 'letterbox, top left',
};

const { imagenet } = preprocessingPresets;
const sameNumbers = (a: readonly number[], b: readonly number[]): boolean =>
  a.every((value, i) => value === b[i]);

/** What becomes of the grey levels, in a few signs. */
function scaleOf({ mean, std }: PreprocessingChoice): string {
  if (sameNumbers(mean, imagenet.mean) || sameNumbers(mean, imagenet.mean.toReversed())) return 'ImageNet';
  const [m, s] = [new Set(mean).size === 1 ? `${mean[0]}` : `(${mean.join(', ')})`, std[0]];
  if (m === '0') return s === 1 ? '0–255' : `x / ${s}`;
  return s === 1 ? `x − ${m}` : `(x − ${m}) / ${s}`;
}

function pictureOf(choice: PreprocessingChoice): string {
  const { fit, padValue, channelOrder, antialias, layout } = choice;
  const parts = [channelOrder.toUpperCase(), scaleOf(choice), fits[fit]];
  if (fit !== 'stretch' && padValue !== 114) parts.push(`on ${padValue}`);
  if (antialias) parts.push('antialiased');
  if (layout === 'nhwc') parts.push('channels last');
  return parts.join(', ');
}

function rowOf({ name, family, layout, nmsFree, decode, preprocessing }: Head): string {
  return `| \`${name}\` | ${family} | \`${layout.replaceAll('|', '\\|')}\` | ${pictureOf(preprocessing)} | ${nmsFree ? '–' : 'yes'} | \`${decode.name}\` |`;
}

/** Text of docs/heads.md. */
export function headsTable(): string {
  return `# Heads: the models boxops reads

Made by \`npm run generate\` from the registry of heads in \`src/heads\`.

\`createDetector({ model })\` chooses the head by the model's bytes; \`npx boxops inspect model.onnx\` prints what it chose and
why. Where the bytes fit several heads it says so, and \`head: 'yolox'\` settles it. float32, float16 and integer outputs are
read, and batches. N pictures, A anchors or cells, C classes, Q queries, R rows of detections, K keypoints, M mask
coefficients, P priors.

| head | models | outputs | picture, by convention | NMS | decoder |
|---|---|---|---|---|---|
${Object.values(heads).map(rowOf).join('\n')}

Besides the picture a model may ask for sizes (\`orig_target_sizes\`, \`im_shape\`, \`scale_factor\`) and for Hugging Face's
\`pixel_mask\`; they are given. What a file does not say (fit, often colour order and scale) follows the convention of the family;
\`inspectModel(bytes).preprocessingSources\` tells which is which, and \`preprocessing\` of \`createDetector\` replaces any of it
([pictures](detecting.md#pictures)). ImageNet means x less (${imagenet.mean.join(', ')}), divided by (${imagenet.std.join(', ')}), in
RGB order.

\`decode(head, outputs, options)\` of \`boxops/heads\` reads outputs of any runtime; the function of the last column reads one
head's alone, and a bundler leaves the others out.
`;
}
