/**
 * The token of the agent in this browser. It comes in the fragment of the link (`#token=…`), which
 * browsers never send, and is taken out of the address at once. It is kept for all tabs, because
 * an agent who loads the page again must not be gone.
 */
const STORAGE_NAME = 'askfirst.agentToken';

/** The token from the address or from this browser; null when there is none. */
export function takeAgentToken(): string | null {
  const fromHash = new URLSearchParams(location.hash.slice(1)).get('token')?.trim();
  if (fromHash !== undefined && fromHash !== '') {
    keepAgentToken(fromHash);
    history.replaceState(null, '', location.pathname + location.search);
    return fromHash;
  }
  return localStorage.getItem(STORAGE_NAME);
}

export function keepAgentToken(token: string): void {
  localStorage.setItem(STORAGE_NAME, token);
}

export function forgetAgentToken(): void {
  localStorage.removeItem(STORAGE_NAME);
}
