/** What kind of place a host or address is, as far as its text tells. Names count as elsewhere. */
export function isLoopback(host: string): boolean {
  const bare = bareHost(host);
  return bare === 'localhost' || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare);
}

export function isWildcard(host: string): boolean {
  return ['0.0.0.0', '::'].includes(bareHost(host));
}

/** RFC 1918, RFC 6598 (shared by a carrier), RFC 4193 and link-local. */
export function isPrivate(host: string): boolean {
  const bare = bareHost(host);
  return (
    /^(10|192\.168|169\.254|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./.test(
      bare,
    ) || /^(f[cd][0-9a-f]{2}|fe80):/.test(bare)
  );
}

/** The host of a SIP URI: `sip:talk@pbx.example:5070;transport=tcp` → `pbx.example`. */
export function hostOf(sipUri: string): string {
  return /@([^:;?]+)/.exec(sipUri)?.[1] ?? sipUri;
}

function bareHost(host: string): string {
  return host.replace(/^\[|\]$/g, '').toLowerCase();
}
