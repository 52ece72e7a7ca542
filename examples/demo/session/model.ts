/** From a file to a model that can be loaded: inspects it and, where the bytes fit several heads, asks. */
import { type HeadCandidate, inspectModel } from '../../../src/heads/index.ts';
import type { ModelFile } from '../state/session.ts';
import { askHead } from '../view/headDialog.ts';

/** Null when the user cancelled the question; throws what `inspectModel` throws, or that no head fits. */
export async function openModel(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  embedded: boolean,
): Promise<ModelFile | null> {
  const inspection = inspectModel(bytes);
  const { candidates, reasons } = inspection;
  const model: ModelFile = {
    name,
    bytes,
    embedded,
    head: null,
    preprocessing: {},
    candidates,
    reasons,
    anySize: inspection.inputs.some(({ dims }) => dims.slice(-2).every((dim) => typeof dim === 'string')),
  };
  if (inspection.ambiguous && candidates.length > 0) {
    const chosen = await askHead(name, candidates);
    return chosen === null ? null : chooseCandidate(model, chosen);
  }
  if (inspection.head === null) {
    const outputs = inspection.outputs.map((output) => `${output.name} [${output.dims.join(', ')}]`);
    throw new Error(
      `No head of boxops reads its outputs: ${outputs.join(', ') || 'it has none'}. It may not be a detector.`,
    );
  }
  return model;
}

/** The model read as this candidate says; its head may come with a family's own way of preparing pictures. */
function chooseCandidate(model: ModelFile, { head, preprocessing, reasons }: HeadCandidate): ModelFile {
  const { size, ...rest } = preprocessing;
  return {
    ...model,
    head,
    preprocessing: size === null || size === undefined ? rest : { ...rest, size },
    reasons: ['chosen by hand', ...reasons],
  };
}

/** The model that comes with the page. */
export async function fetchEmbedded(): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(new URL('digits.onnx', document.baseURI));
  if (!response.ok)
    throw new Error(`the embedded model did not load: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}
