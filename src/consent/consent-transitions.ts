import type { ConsentEventType, ConsentStatus } from './consent-state.ts';

type Moves = { readonly [E in ConsentEventType]?: ConsentStatus };

/** News of a message's way changes no status; it may come after the answer. */
const tracking = <S extends ConsentStatus>(status: S) =>
  ({
    PermissionRequestSent: status,
    PermissionRequestDelivered: status,
    PermissionRequestRead: status,
  }) as const;

/**
 * Every legal move, as data: status, event, next status. What is not here cannot happen;
 * `consentDiagram()` draws it and a test walks every status with every event.
 */
export const CONSENT_TRANSITIONS = {
  none: {
    ...tracking('none'),
    PermissionRequested: 'requested',
    // Meta lets people allow or forbid calls in the business profile, unasked.
    PermissionGranted: 'granted',
    PermissionDeclined: 'declined',
    PermissionRevoked: 'revoked',
  },
  requested: {
    ...tracking('requested'),
    PermissionRequested: 'requested',
    PermissionRequestFailed: 'none',
    PermissionGranted: 'granted',
    PermissionDeclined: 'declined',
    PermissionRequestLapsed: 'lapsed',
    PermissionRevoked: 'revoked',
  },
  granted: {
    ...tracking('granted'),
    PermissionGranted: 'granted',
    PermissionUsed: 'used',
    PermissionExpired: 'expired',
    PermissionRevoked: 'revoked',
  },
  used: {
    ...tracking('used'),
    PermissionRequested: 'requested',
    PermissionGranted: 'granted',
    PermissionReleased: 'granted',
    PermissionRevoked: 'revoked',
  },
  declined: {
    ...tracking('declined'),
    PermissionRequested: 'requested',
    PermissionGranted: 'granted',
    PermissionDeclined: 'declined',
    PermissionRevoked: 'revoked',
  },
  expired: {
    ...tracking('expired'),
    PermissionRequested: 'requested',
    PermissionGranted: 'granted',
    PermissionRevoked: 'revoked',
  },
  revoked: {
    ...tracking('revoked'),
    PermissionRequested: 'requested',
    PermissionGranted: 'granted',
    PermissionDeclined: 'declined',
    PermissionRevoked: 'revoked',
  },
  lapsed: {
    ...tracking('lapsed'),
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

/** The transition table as a mermaid state diagram, for the documentation. */
export function consentDiagram(): string {
  const lines = ['stateDiagram-v2', '  [*] --> none'];
  for (const [from, moves] of Object.entries(CONSENT_TRANSITIONS)) {
    for (const [event, to] of Object.entries(moves)) {
      // News of delivery leads nowhere else; drawing it on every box would hide the rest.
      if (from === to && /Sent|Delivered|Read$/.test(event)) continue;
      lines.push(`  ${from} --> ${to}: ${event}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
