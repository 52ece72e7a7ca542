/**
 * The key of `using`: `Symbol.dispose`, or what compilers look for where the engine has none (Safari): esbuild, oxc and
 * Babel fall back to `Symbol.for`.
 */
export const disposeKey: typeof Symbol.dispose =
  Symbol.dispose ?? (Symbol.for('Symbol.dispose') as typeof Symbol.dispose);
