/**
 * Which call this tab has the sound of. It outlives loading the page again, and no other tab sees
 * it: so the tab that had the customer takes them back by itself.
 */
const KEY = 'askfirst-call';

export function keepCall(callId: string): void {
  sessionStorage.setItem(KEY, callId);
}

export function isKept(callId: string): boolean {
  return sessionStorage.getItem(KEY) === callId;
}

export function letCallGo(): void {
  sessionStorage.removeItem(KEY);
}
