/** What the webhook URL answers when it does not answer 200; docs/reference/errors.md shows it. */
export type IntakeProblem = {
  status: number;
  code: string;
  title: string;
  detail: string;
  fix: string;
};

export const INTAKE_PROBLEMS = {
  /** One answer for every bad signature: it must not tell what was wrong with it. */
  signatureInvalid: {
    status: 401,
    code: 'webhook_signature_invalid',
    title: 'Not signed by a known app.',
    detail: 'The signature of the webhook is missing or wrong.',
    fix: 'Store the app secret of the app that sends the webhooks in the settings of the line.',
  },
  verifyTokenInvalid: {
    status: 403,
    code: 'webhook_verify_token_invalid',
    title: 'Not granted.',
    detail: 'The verify token is not that of any active line.',
    fix: 'Enter the verify token of the line in the webhook settings of the app at Meta.',
  },
  bodyTooLarge: {
    status: 413,
    code: 'webhook_too_large',
    title: 'Too large.',
    detail: 'A delivery has at most 3 MB.',
    fix: 'Meta never sends more; look at what stands in between.',
  },
  /** For failures that may hold anything in their text: the details stay in the log. */
  notStored: {
    status: 503,
    code: 'webhook_not_stored',
    title: 'Not stored.',
    detail: 'The webhook could not be stored just now.',
    fix: 'Send it again later.',
  },
} as const satisfies Record<string, IntakeProblem>;
