// A bump allocator over the module's memory: every call starts again at the heap base, nothing is freed in between.
// Blocks are 16-byte aligned, so vectors load aligned.

let top: usize = 0;

export function allocateFrom(pointer: usize): void {
  top = pointer;
}

export function allocate(bytes: usize): usize {
  const start = top;
  top = (start + bytes + 15) & ~(<usize>15);
  const missing = <i32>(top >>> 16) + 1 - memory.size();
  if (missing > 0 && memory.grow(missing) < 0) unreachable();
  return start;
}
