/** Broken annotation files: every problem with its place, and nothing after it lost. */
import { describe, expect, it } from 'vitest';
import {
  CocoParser,
  formatProblem,
  ProblemReport,
  parseVoc,
  parseYoloLabels,
  parseYoloYaml,
} from '../../src/datasets/index.ts';

const lines = (report: ProblemReport): string[] => report.problems.map(formatProblem);

function parse(text: string, piece = 7) {
  const parser = new CocoParser({ file: 'gt.json' });
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += piece) parser.push(bytes.subarray(at, at + piece));
  const dataset = parser.finish();
  return { dataset, report: parser.report, problems: lines(parser.report) };
}

const image = (id: number, more = '') =>
  `{"id":${id},"file_name":"${id}.jpg","width":100,"height":80${more}}`;
const annotation = (id: number, more: string) =>
  `{"id":${id},"image_id":1,"category_id":3,"bbox":[1,2,3,4],"area":12,"iscrowd":0${more}}`;
const coco = (annotations: readonly string[], images: readonly string[] = [image(1)]) =>
  `{"images":[\n${images.join(',\n')}],\n"annotations":[\n${annotations.join(',\n')}],\n"categories":[{"id":3,"name":"cat"}]}`;

describe('COCO', () => {
  it('reads a file whatever the size of the pieces', () => {
    const text = coco([annotation(1, ',"note":"a \\"} ] é"'), annotation(2, '')]);
    const whole = parse(text, 1e6);
    expect(whole.problems).toEqual([]);
    for (const piece of [1, 2, 3, 5, 64]) expect(parse(text, piece).dataset).toEqual(whole.dataset);
    expect([...whole.dataset.annotations.boxes.subarray(0, 4)]).toEqual([1, 2, 4, 6]);
  });

  it('takes sections in any order and passes over others', () => {
    const { dataset, problems } = parse(
      `\ufeff{"licenses":[{"id":1}],"categories":[{"id":3,"name":"cat"}],"annotations":[${annotation(1, '')}],"info":{"a":[1,{"b":"]}"}]},"x":null,"y":-1.5e3,"images":[${image(1)}]}`,
      3,
    );
    expect(problems).toEqual([]);
    expect(dataset.annotations.count).toBe(1);
  });

  it('lists every problem with line, column and path', () => {
    const { problems, dataset } = parse(
      coco(
        [
          annotation(1, ''),
          '{"id":2,"image_id":9,"category_id":3,"bbox":[1,2,3,4]}',
          '{"id":3,"image_id":1,"category_id":4,"bbox":[1,2,3,4]}',
          '{"id":1,"image_id":1,"category_id":3,"bbox":[5,2,3,4]}',
          '{"id":5,"image_id":1,"category_id":3,"bbox":[1,2,-3,4]}',
          '{"id":6,"image_id":1,"category_id":3,"bbox":[1,2,0,4]}',
          '{"id":7,"image_id":1,"category_id":3,"bbox":[90,2,30,4]}',
          '{"id":8,"image_id":1,"category_id":3,"bbox":[1,2,3]}',
          '{"id":9,"image_id":1,"category_id":3,"bbox":[1,"2",3,4]}',
          '{"id":10,"image_id":1,"category_id":3,"bbox":[1,NaN,3,4]}',
          '{"id":11,"image_id":1,"category_id":3}',
          '{"id":12,"image_id":1,"category_id":3,"bbox":[1,2,3,4],"segmentation":[[1,2,3,4]]}',
          '{"id":13,"image_id":1,"category_id":3,"bbox":[1,2,3,4],"segmentation":{"size":[80,100],"counts":[7]}}',
          '{"id":14,"image_id":1,"category_id":3,"bbox":[1,2,3,4],"segmentation":{"size":[8,1],"counts":[8]}}',
          '{"id":15,"image_id":1,"category_id":3,"bbox":[1,2,3,4],"keypoints":[1,2,2,3,4],"num_keypoints":1}',
          '{"id":16,"image_id":1,"category_id":3,"bbox":[1,2,3,4],"keypoints":[1,2,2,3,4,1],"num_keypoints":1}',
          annotation(17, ''),
        ],
        [
          image(1),
          image(1),
          '{"id":2,"file_name":"1.jpg","width":1,"height":1}',
          '{"id":3,"width":0,"height":1}',
        ],
      ),
    );
    const expected: [string, string][] = [
      ['gt.json:3:1 images[1]', 'duplicate-image-id'],
      ['gt.json:4:1 images[2]', 'duplicate-file-name'],
      ['gt.json:5:1 images[3].width', 'malformed-number'],
      ['gt.json:5:1 images[3]', 'missing-key'],
      ['gt.json:14:1 annotations[7].bbox', 'wrong-type'],
      ['gt.json:15:1 annotations[8].bbox[1]', 'malformed-number'],
      ['gt.json:16:1 annotations[9]', 'malformed-json'],
      ['gt.json:17:1 annotations[10]', 'missing-key'],
      ['gt.json:18:1 annotations[11].segmentation[0]', 'bad-segmentation'],
      ['gt.json:19:1 annotations[12].segmentation', 'bad-segmentation'],
      ['gt.json:21:1 annotations[14].keypoints', 'bad-keypoints'],
      ['gt.json:22:1 annotations[15]', 'keypoint-count'],
      ['gt.json:10:1 annotations[3].id', 'duplicate-annotation-id'],
      ['gt.json:8:1 annotations[1].image_id', 'unknown-image'],
      ['gt.json:9:1 annotations[2].category_id', 'unknown-category'],
      ['gt.json:11:1 annotations[4].bbox', 'negative-size'],
      ['gt.json:12:1 annotations[5].bbox', 'zero-area'],
      ['gt.json:13:1 annotations[6].bbox', 'box-outside'],
      ['gt.json:20:1 annotations[13].segmentation.size', 'bad-segmentation'],
    ];
    expect(problems.map((line) => line.replace(/: .*\[/, ' ['))).toEqual(
      expected.map(([place, code]) => `${place} [${code}]`),
    );
    expect([...dataset.annotations.ids]).toEqual([1, 1, 6, 7, 16, 17]);
  });

  it('goes on after an element whose brackets do not match', () => {
    const { problems, dataset } = parse(
      coco([
        '{"id":1,"image_id":1,"category_id":3,"bbox":[1,2,3,4}',
        annotation(2, ''),
        '{"id":3,"image_id":1,"category_id":3,"bbox":[1,2,3,4]',
        annotation(4, ''),
      ]),
    );
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatch(/^gt\.json:4:\d+ annotations\[0\]: .*\[malformed-json\]$/);
    expect(problems[1]).toMatch(/^gt\.json:\d:\d+ annotations\[2\]: .*\[malformed-json\]$/);
    expect([...dataset.annotations.ids]).toEqual([2, 4]);
  });

  it('keeps to one line where a message quotes several', () => {
    const report = new ProblemReport();
    report.add('malformed-json', 'Unexpected token in "{\n \r\n  x"', { file: 'a.json', line: 2, column: 3 });
    expect(lines(report)).toEqual(['a.json:2:3: Unexpected token in "{ x" [malformed-json]']);
  });

  it('says where a file ends too early, keeping what came before', () => {
    const text = coco([annotation(1, ''), annotation(2, '')]);
    for (let end = 0; end < text.length - 1; end += 3) {
      const { problems } = parse(text.slice(0, end));
      expect(problems.some((line) => line.includes('[truncated-file]'))).toBe(true);
    }
    const cut = text.indexOf('"category_id"', text.indexOf('"id":2'));
    const { problems } = parse(text.slice(0, cut));
    expect(problems).toContain(
      `gt.json:5:${cut - text.lastIndexOf('\n', cut)} annotations[1]: the file ends in the middle [truncated-file]`,
    );
  });

  it('does not blame annotations for images and categories that were never read, or were reported', () => {
    const codes = (text: string) => parse(text).report.problems.map(({ code }) => code);
    const whole = coco([annotation(1, ''), annotation(2, ''), annotation(3, '')]);
    expect(codes(whole.slice(0, whole.indexOf('"categories"')))).toEqual(['truncated-file']);
    expect(codes(whole.slice(0, whole.indexOf('"name":"cat"')))).toEqual(['truncated-file']);
    const annotationsFirst = `{"annotations":[${annotation(1, '')}],"categories":[{"id":3,"name":"cat"}],"images":[`;
    expect(codes(annotationsFirst)).toEqual(['truncated-file']);
    expect(codes(`{"images":[${image(1)}],"annotations":[${annotation(1, '')}]}`)).toEqual(['missing-key']);
    // images 2 (same name), 3 (no width) and 4 (broken) are in the file: only image 9 is not
    const refused = [
      '{"id":2,"file_name":"1.jpg","width":9,"height":9}',
      '{"id":3,"file_name":"3.jpg","height":9}',
    ];
    const of = (id: number) => `{"id":${id},"image_id":${id},"category_id":3,"bbox":[1,2,3,4]}`;
    expect(
      codes(coco([of(2), of(3), of(4), of(9)], [image(1), ...refused, '{"id":4,"file_name":nil}'])),
    ).toEqual(['duplicate-file-name', 'missing-key', 'malformed-json', 'unknown-image']);
    const twice = coco([annotation(1, ''), of(1).replace('"category_id":3', '"category_id":4')]).slice(0, -2);
    expect(codes(`${twice},{"id":4,"name":"cat"}]}`)).toEqual([
      'duplicate-category-name',
      'duplicate-annotation-id',
    ]);
  });

  it('reads ids written as text, and refuses names', () => {
    const { dataset, problems } = parse(
      `{"images":[{"id":"12","file_name":"a.jpg","width":9,"height":9}],"categories":[{"id":"3","name":"cat"}],
"annotations":[{"id":"0007","image_id":"12","category_id":3,"bbox":[1,2,3,4]},{"id":8,"image_id":"a","category_id":3,"bbox":[1,2,3,4]}]}`,
    );
    expect([...dataset.annotations.ids, ...dataset.images.ids]).toEqual([7, 12]);
    expect(problems).toEqual([
      'gt.json:2:79 annotations[1].image_id: expected a number as id, got "a" [malformed-number]',
    ]);
  });

  it.each([
    ['', 'truncated-file'],
    ['[1,2]', 'malformed-json'],
    ['{"images":{}}', 'wrong-type'],
    ['{"images" [', 'malformed-json'],
    ['{} x', 'malformed-json'],
    ['{"annotations":[1]}', 'wrong-type'],
    ['not json', 'malformed-json'],
  ])('refuses %j', (text, code) => {
    const { report } = parse(text);
    expect([...report.counts.keys()]).toContain(code);
    expect(() => report.throwOnErrors('gt.json')).toThrow(code);
  });

  it('counts findings past the limit without keeping them', () => {
    const report = new ProblemReport(3);
    for (let i = 0; i < 10; i++) report.add('zero-area', 'x', {});
    expect(report.problems).toHaveLength(3);
    expect(report.warnings).toBe(10);
  });
});

describe('YOLO', () => {
  const size = { width: 1000, height: 1000 };
  it('reads boxes and polygons (supervision: 0 0.5 0.5 0.2 0.2 is 400, 400, 600, 600)', () => {
    const text = '0 0.5 0.5 0.2 0.2\n\n1 0.4 0.4 0.6 0.4 0.6 0.6 0.4 0.6\n';
    const objects = parseYoloLabels(text, size);
    expect(objects.map(({ box, line, classId }) => [...box.map(Math.round), line, classId])).toEqual([
      [400, 400, 600, 600, 1, 0],
      [400, 400, 600, 600, 3, 1],
    ]);
    expect(objects[1]!.polygon).toHaveLength(8);
  });

  it('reports lines with their number', () => {
    const report = new ProblemReport();
    const text =
      '0 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2\n9 0.5 0.5 0.2 0.2\n0 0.5 x 0.2 0.2\n-1 0 0 0 0\n0 0.5 0.5 0.2 0.2\n0 1 1 1 1 1\n';
    const objects = parseYoloLabels(text, size, { classes: 2, file: 'a.txt', report });
    expect(objects).toHaveLength(1);
    expect(lines(report).map((line) => line.replace(/: .*\[/, ' ['))).toEqual([
      'a.txt:2 [malformed-row]',
      'a.txt:3 [unknown-category]',
      'a.txt:4 [malformed-number]',
      'a.txt:5 [malformed-row]',
      'a.txt:6 [duplicate-annotation]',
      'a.txt:7 [malformed-row]',
    ]);
  });

  it('reads pose lines by kpt_shape', () => {
    const [three] = parseYoloLabels('0 .5 .5 1 1 .1 .2 2 0 0 0', size, {
      task: 'pose',
      keypointShape: [2, 3],
    });
    expect(three!.keypoints).toEqual([100, 200, 2, 0, 0, 0]);
    const [two] = parseYoloLabels('0 .5 .5 1 1 .1 .2 0 0', size, { task: 'pose', keypointShape: [2, 2] });
    expect(two!.keypoints).toEqual([100, 200, 2, 0, 0, 0]);
    const report = new ProblemReport();
    parseYoloLabels('0 .5 .5 1 1 .1', size, { task: 'pose', keypointShape: [2, 3], report });
    expect(report.counts.get('bad-keypoints')).toBe(1);
  });

  it('reads names as a list or a map, and says what is wrong in data.yaml', () => {
    expect(parseYoloYaml('names: [a, b]\ntrain: x').categories.map(({ name }) => name)).toEqual(['a', 'b']);
    const twice = new ProblemReport();
    parseYoloYaml('names: [a, b, a]\ntrain: x\n', 'data.yaml', twice);
    parseYoloYaml('nc: 1000000000\ntrain: x\n', 'data.yaml', twice);
    expect(twice.problems.map(({ code }) => code)).toEqual(['duplicate-category-name', 'missing-key']);
    expect(twice.problems[1]!.message).toBe("expected 'names' or 'nc' from 1 to 100000, got 1000000000");
    expect(parseYoloYaml('names: {1: b, 0: a}').categories.map(({ name }) => name)).toEqual(['a', 'b']);
    const report = new ProblemReport();
    parseYoloYaml('train: images\nnc: 3\nnames:\n  0: a\n  2: b\nkpt_shape: [1]\n', 'data.yaml', report);
    expect(lines(report)).toEqual([
      'data.yaml:3:1 names: expected classes 0 to 1, 1 is missing [wrong-type]',
      'data.yaml:2:1 nc: nc is 3, but there are 2 names [wrong-type]',
      'data.yaml:6:1 kpt_shape: expected [keypoints, 2 or 3], got [1] [wrong-type]',
    ]);
    const broken = new ProblemReport();
    parseYoloYaml('names: [a\ntrain: b', 'data.yaml', broken);
    expect(broken.counts.has('malformed-yaml')).toBe(true);
  });
});

describe('Pascal VOC', () => {
  const voc = (objects: string) =>
    `<annotation>\n<filename>a.jpg</filename>\n<size><width>20</width><height>20</height><depth>3</depth></size>\n${objects}</annotation>`;
  const box = (values: readonly unknown[], name = '<name>cat</name>') =>
    `<object>${name}<bndbox><xmin>${values[0]}</xmin><ymin>${values[1]}</ymin><xmax>${values[2]}</xmax><ymax>${values[3]}</ymax></bndbox></object>\n`;

  it('counts pixels the three ways (supervision: 1, 1, 11, 11 is 0, 0, 10, 10)', () => {
    const text = voc(box([1, 1, 11, 11]));
    const read = (origin: 'inclusive' | 'shifted' | 'zero') => parseVoc(text, { origin })!.objects[0]!.box;
    expect(read('shifted')).toEqual([0, 0, 10, 10]);
    expect(read('inclusive')).toEqual([0, 0, 11, 11]);
    expect(read('zero')).toEqual([1, 1, 11, 11]);
    expect(parseVoc(voc(box(['12.5', 1, 13, 2])))!.objects[0]!.box[0]).toBe(11.5);
  });

  it('reports objects with line and path', () => {
    const report = new ProblemReport();
    const text = voc(
      `${box([1, 1, 2, 2])}${box([1, 'x', 2, 2])}${box([1, 1, 2, 2], '')}<object><name>b</name></object>\n${box([1, 1, '', 3])}`,
    );
    const read = parseVoc(text, { file: 'a.xml', report })!;
    expect(read.objects).toHaveLength(1);
    expect(lines(report).map((line) => line.replace(/:\d+ /, ' ').replace(/: .*\[/, ' ['))).toEqual([
      'a.xml:5 object[1]/bndbox/ymin [malformed-number]',
      'a.xml:6 object[2] [missing-key]',
      'a.xml:7 object[3] [missing-key]',
      'a.xml:8 object[4]/bndbox/xmax [malformed-number]',
    ]);
  });

  it.each([
    ['', 'truncated-file'],
    ['<annotation><object><name>cat</na', 'truncated-file'],
    ['<annotation><object></annotation>', 'malformed-xml'],
    ['<html></html>', 'wrong-type'],
  ])('refuses %j', (text, code) => {
    const report = new ProblemReport();
    expect(parseVoc(text, { file: 'a.xml', report })).toBe(null);
    expect([...report.counts.keys()]).toEqual([code]);
  });
});
