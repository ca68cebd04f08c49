import { Failure } from '../platform/failure.ts';

/** The one failure of admission: no port, no descriptor, or no worker with room. */
export function noCapacity(message: string): Failure {
  return new Failure({
    code: 'media_no_capacity',
    message,
    fix: 'Wait until calls end, or give the media plane more ports, workers or descriptors.',
    verdict: 'retryable',
    side: 'server',
  });
}
