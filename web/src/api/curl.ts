/** A POST of the business API as a command that can be pasted into a POSIX shell. */
export function postAsCurl(request: {
  url: string;
  apiKey: string;
  idempotencyKey: string;
  body: unknown;
}): string {
  return [
    `curl -sS -X POST ${quoted(request.url)}`,
    `-H ${quoted(`Authorization: Bearer ${request.apiKey}`)}`,
    `-H ${quoted('Content-Type: application/json')}`,
    `-H ${quoted(`Idempotency-Key: ${request.idempotencyKey}`)}`,
    `-d ${quoted(JSON.stringify(request.body))}`,
  ].join(' \\\n  ');
}

/** Inside single quotes a shell changes nothing; a single quote itself must step outside. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
