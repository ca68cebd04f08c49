import type { ConsentEventType, ConsentStatus } from './consent-state.ts';

type Moves = { readonly [E in ConsentEventType]?: ConsentStatus };

/** News of a message's way and of a call's end changes no status; it comes whenever it comes. */
const news = <S extends ConsentStatus>(status: S) =>
  ({
    PermissionRequestSent: status,
    PermissionRequestDelivered: status,
    PermissionRequestRead: status,
    CallConnected: status,
    CallUnanswered: status,
  }) as const;

/**
 * Every legal move, as data: status, event, next status. What is not here cannot happen;
 * `consentDiagram()` draws it and a test walks every status with every event.
 */
export const CONSENT_TRANSITIONS = {
  none: {
    ...news('none'),
    PermissionRequested: 'requested',
    // Meta lets people allow or forbid calls in the business profile, unasked.
    PermissionGranted: 'granted',
    PermissionDeclined: 'declined',
    PermissionRevoked: 'revoked',
  },
  requested: {
    ...news('requested'),
    PermissionRequested: 'requested',
    PermissionRequestFailed: 'none',
    PermissionGranted: 'granted',
    PermissionDeclined: 'declined',
    PermissionRequestLapsed: 'lapsed',
    PermissionRevoked: 'revoked',
  },
  granted: {
    ...news('granted'),
    PermissionGranted: 'granted',
    PermissionUsed: 'used',
    // Where a pack allows several calls on one yes, all but the last leave it granted.
    PermissionPartlyUsed: 'granted',
    PermissionReleased: 'granted',
    PermissionExpired: 'expired',
    PermissionRevoked: 'revoked',
  },
  used: {
    ...news('used'),
    PermissionRequested: 'requested',
    PermissionGranted: 'granted',
    PermissionReleased: 'granted',
    PermissionRevoked: 'revoked',
  },
  declined: {
    ...news('declined'),
    PermissionRequested: 'requested',
    PermissionGranted: 'granted',
    PermissionDeclined: 'declined',
    PermissionRevoked: 'revoked',
  },
  expired: {
    ...news('expired'),
    PermissionRequested: 'requested',
    PermissionGranted: 'granted',
    PermissionRevoked: 'revoked',
  },
  revoked: {
    ...news('revoked'),
    PermissionRequested: 'requested',
    PermissionGranted: 'granted',
    PermissionDeclined: 'declined',
    PermissionRevoked: 'revoked',
  },
  lapsed: {
    ...news('lapsed'),
    PermissionRequested: 'requested',
    PermissionGranted: 'granted',
    PermissionDeclined: 'declined',
    PermissionRevoked: 'revoked',
  },
} as const satisfies { readonly [S in ConsentStatus]: Moves };

/** The status after `event`, or null when the table has no such move. */
export function nextStatus(status: ConsentStatus, event: ConsentEventType): ConsentStatus | null {
  const moves: Moves = CONSENT_TRANSITIONS[status];
  return moves[event] ?? null;
}

const NEWS = news('none');

/** The transition table as a mermaid state diagram, for the documentation. */
export function consentDiagram(): string {
  const lines = ['stateDiagram-v2', '  [*] --> none'];
  for (const [from, moves] of Object.entries(CONSENT_TRANSITIONS)) {
    for (const [event, to] of Object.entries(moves)) {
      // News leads nowhere else; drawing it on every box would hide the rest.
      if (from === to && event in NEWS) continue;
      lines.push(`  ${from} --> ${to}: ${event}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
