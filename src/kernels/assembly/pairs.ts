// Aligned pairs of boxes: similarity and gradient by the first box, the loops in their own files.
import { allocate, allocateFrom } from './memory';

export { ciou } from './ciou-gradient';
export { giou } from './giou-gradient';

let second: usize = 0;
let similarities: usize = 0;
let slopes: usize = 0;

// Lays out `count` pairs; returns where the first boxes go.
export function begin(count: i32): usize {
  allocateFrom((__heap_base + 15) & ~(<usize>15));
  const first = allocate(<usize>count << 4);
  second = allocate(<usize>count << 4);
  slopes = allocate(<usize>count << 4);
  similarities = allocate(<usize>count << 2);
  return first;
}

export function partners(): usize {
  return second;
}

export function values(): usize {
  return similarities;
}

export function gradients(): usize {
  return slopes;
}
