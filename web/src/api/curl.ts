/** A request of the business API as a command that can be pasted into a POSIX shell. */
export function asCurl(request: {
  /** POST unless told; only a POST carries an Idempotency-Key, and a GET no body. */
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH';
  url: string;
  apiKey: string;
  idempotencyKey: string;
  body: unknown;
  /** The name of a CSV file that is sent as it is, instead of `body`. */
  csvFile?: string;
}): string {
  const { method = 'POST', csvFile } = request;
  if (csvFile !== undefined) {
    return [
      `curl -sS -X POST ${quoted(request.url)}`,
      `-H ${quoted(`Authorization: Bearer ${request.apiKey}`)}`,
      `-H ${quoted('Content-Type: text/csv')}`,
      `--data-binary ${quoted(`@${csvFile}`)}`,
    ].join(' \\\n  ');
  }
  return [
    `curl -sS -X ${method} ${quoted(request.url)}`,
    `-H ${quoted(`Authorization: Bearer ${request.apiKey}`)}`,
    ...(method === 'POST' ? [`-H ${quoted(`Idempotency-Key: ${request.idempotencyKey}`)}`] : []),
    ...(method === 'GET'
      ? []
      : [
          `-H ${quoted('Content-Type: application/json')}`,
          `-d ${quoted(JSON.stringify(request.body))}`,
        ]),
  ].join(' \\\n  ');
}

/** Inside single quotes a shell changes nothing; a single quote itself must step outside. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
