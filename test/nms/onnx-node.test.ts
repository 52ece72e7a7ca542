/** The nine node tests that ONNX ships for NonMaxSuppression, read from their protobuf files. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { WireReader } from '../../src/heads/onnx/wire.ts';
import { onnxNms } from '../../src/nms/index.ts';
import { dataPath, describeWithData, testData } from '../support/data.ts';

const folder = dataPath('data/onnx-nms');

/** A TensorProto: dims (1), data type (2), float_data (4), int64_data (7) or raw_data (9). */
function readTensor(path: string): { dims: number[]; values: number[] } {
  const reader = new WireReader(readFileSync(path));
  const dims: number[] = [];
  let type = 0;
  let values: number[] = [];
  while (reader.next()) {
    if (reader.field === 1) reader.integers(dims);
    else if (reader.field === 2) type = reader.integer();
    else if (reader.field === 9) {
      const bytes = reader.blob();
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const width = type === 7 ? 8 : 4;
      values = Array.from({ length: bytes.length / width }, (_, i) =>
        type === 7 ? Number(view.getBigInt64(8 * i, true)) : view.getFloat32(4 * i, true),
      );
    } else reader.skip();
  }
  return { dims, values };
}

describeWithData('ONNX node tests', () => {
  const cases = testData === '' ? [] : readdirSync(folder).filter((name) => name.startsWith('test_'));

  it('are all there', () => {
    expect(cases).toHaveLength(9);
  });

  it.each(cases)('%s', (name) => {
    const tensor = (file: string) => readTensor(`${folder}/${name}/test_data_set_0/${file}.pb`);
    const boxes = tensor('input_0');
    const scores = tensor('input_1');
    const selected = onnxNms(Float32Array.from(boxes.values), Float32Array.from(scores.values), {
      batches: boxes.dims[0]!,
      classes: scores.dims[1]!,
      centerPointBox: name.includes('center_point_box') ? 1 : 0,
      maxOutputBoxesPerClass: tensor('input_2').values[0]!,
      iouThreshold: tensor('input_3').values[0]!,
      scoreThreshold: tensor('input_4').values[0]!,
    });
    expect([...selected]).toEqual(tensor('output_0').values);
  });
});
