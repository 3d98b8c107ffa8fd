/** Return the text of an element that the build has filled. */
function textOf(id: string): string {
  const text = document.getElementById(id)?.textContent?.trim();
  if (!text) throw new Error(`the page is incomplete: its part "${id}" is missing`);
  return text;
}

export const workerText = (): string => textOf("worker");

const TOO_OLD =
  "this browser cannot run the core: it needs WebAssembly with vectors and exceptions, " +
  "as Chrome 95, Firefox 100, Safari 16.4 and later versions have it";

/** Return the compiled core, which stands in the page compressed and coded as text. */
export async function compiled(): Promise<WebAssembly.Module> {
  const bytes = await unpacked(textOf("core"));
  return WebAssembly.compile(bytes).catch((error: unknown) => {
    throw new Error(`${TOO_OLD} (${error instanceof Error ? error.message : String(error)})`);
  });
}

/** Return the bytes of a text that is base64 of gzip. It needs no request, so a page from a disk may do it, too. */
export async function unpacked(text: string): Promise<ArrayBuffer> {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}
