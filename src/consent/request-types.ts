/** How far a request has come; the last three are of one that is or was planned for later. */
export type PermissionRequestStatus = AskedStatus | PlannedStatus;

export type AskedStatus =
  | 'queued'
  | 'sent'
  | 'delivered'
  | 'read'
  | 'failed'
  | 'granted'
  | 'declined'
  | 'lapsed';

export type PlannedStatus = 'planned' | 'cancelled' | 'refused';
