import type { Socket } from 'node:net';
import { HttpError, answerTo, PROBLEM_TYPE, type ProblemContext } from './problem.ts';

/**
 * Answers what node's HTTP parser refused, in the same words as everything else. There is no
 * request yet, so this writes to the socket and closes it: what follows cannot be told apart.
 */
export function answerBrokenRequest(
  error: Error & { code?: string },
  socket: Socket,
  context: ProblemContext,
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const { status, problem } = answerTo(meaningOf(error.code), context);
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? 'Bad Request'}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${context.requestId}`,
    'x-content-type-options: nosniff',
    'connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}

const REASONS: Readonly<Record<number, string>> = {
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

function meaningOf(code: string | undefined): HttpError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new HttpError('headers_too_large', 'URL and headers together are too large.');
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new HttpError('request_timeout', 'The request did not arrive in time.');
  }
  return new HttpError('malformed_request', 'This is not HTTP as RFC 9112 has it.');
}
