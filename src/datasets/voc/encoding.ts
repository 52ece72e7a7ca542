/** The text of an XML file, which says itself how it is encoded: labelling tools on Windows leave marks and code pages. */

/**
 * Decodes a file by its byte order mark, else by the encoding its declaration names, else as UTF-8. An encoding that is
 * not known is taken as UTF-8, too: tags and numbers are the same in nearly all.
 */
export function decodeXml(bytes: Uint8Array): string {
  return decoderOf(bytes).decode(bytes);
}

function decoderOf(bytes: Uint8Array): TextDecoder {
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be');
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le');
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return new TextDecoder();
  const head = String.fromCharCode(...bytes.subarray(0, 120));
  const declared = /^\s*<\?xml[^>]*\bencoding\s*=\s*["']([\w.:-]+)["']/.exec(head)?.[1];
  // a declaration that can be read byte by byte is not UTF-16, whatever it says
  if (declared === undefined || /^utf-?16/i.test(declared)) return new TextDecoder();
  try {
    return new TextDecoder(declared);
  } catch {
    return new TextDecoder();
  }
}
