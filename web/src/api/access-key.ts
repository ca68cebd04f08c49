/**
 * The API key of this tab. It comes in the fragment (`#key=…`), which browsers never send to a
 * server, and is taken out of the address at once so that it is not bookmarked or shown.
 */
const STORAGE_NAME = 'askfirst.key';

/** The key from the address or from this tab's session; null when there is none. */
export function takeAccessKey(): string | null {
  const fromHash = new URLSearchParams(location.hash.slice(1)).get('key')?.trim();
  if (fromHash !== undefined && fromHash !== '') {
    keepAccessKey(fromHash);
    history.replaceState(null, '', location.pathname + location.search);
    return fromHash;
  }
  return sessionStorage.getItem(STORAGE_NAME);
}

export function keepAccessKey(key: string): void {
  sessionStorage.setItem(STORAGE_NAME, key);
}

export function forgetAccessKey(): void {
  sessionStorage.removeItem(STORAGE_NAME);
}
