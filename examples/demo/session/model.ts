/** From a file to a model that can be loaded: inspects it and, where the bytes fit several heads, asks. */
import { inspectModel } from '../../../src/heads/index.ts';
import type { ModelFile } from '../state/session.ts';
import { askHead } from '../view/headDialog.ts';

/** Null when the user cancelled the question; throws what `inspectModel` throws, or that no head fits. */
export async function openModel(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  embedded: boolean,
): Promise<ModelFile | null> {
  const inspection = inspectModel(bytes);
  const candidates = inspection.candidates.map(({ head }) => head);
  const model = { name, bytes, embedded, candidates, reasons: inspection.reasons };
  if (inspection.ambiguous && inspection.candidates.length > 0) {
    const head = await askHead(name, inspection.candidates);
    return head === null ? null : { ...model, head };
  }
  if (inspection.head === null) {
    const outputs = inspection.outputs.map((output) => `${output.name} [${output.dims.join(', ')}]`);
    throw new Error(
      `No head of boxops reads its outputs: ${outputs.join(', ') || 'it has none'}. It may not be a detector.`,
    );
  }
  return { ...model, head: null };
}

/** The model that comes with the page. */
export async function fetchEmbedded(): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(new URL('digits.onnx', document.baseURI));
  if (!response.ok)
    throw new Error(`the embedded model did not load: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}
