import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { errorText, Failure } from '../platform/failure.ts';
import type { SipTls } from './sip.ts';

/** The files that `ASKFIRST_SIP_TLS_*` name; each may be absent. */
export type SipTlsFiles = {
  ASKFIRST_SIP_TLS_CA?: string | undefined;
  ASKFIRST_SIP_TLS_CERT?: string | undefined;
  ASKFIRST_SIP_TLS_KEY?: string | undefined;
};

/**
 * Reads what TLS toward endpoints needs, and looks at it before the first call does: throws
 * `sip_tls_unusable` naming the setting, where a file cannot be read, is no PEM, or the key is
 * not the certificate's.
 */
export function readSipTls(files: SipTlsFiles): SipTls {
  const read = (
    setting: keyof SipTlsFiles,
    check: (pem: string) => unknown,
  ): string | undefined => {
    const path = files[setting];
    if (path === undefined) return undefined;
    try {
      const pem = readFileSync(path, 'utf8');
      check(pem);
      return pem;
    } catch (error) {
      throw unusable(
        `${setting} names ${path}, and that cannot be used: ${errorText(error)}`,
        error,
      );
    }
  };
  const authorities = read('ASKFIRST_SIP_TLS_CA', (pem) => new X509Certificate(pem));
  const certificate = read('ASKFIRST_SIP_TLS_CERT', (pem) => new X509Certificate(pem));
  const key = read('ASKFIRST_SIP_TLS_KEY', (pem) => createPrivateKey(pem));
  if ((certificate === undefined) !== (key === undefined)) {
    throw unusable('ASKFIRST_SIP_TLS_CERT and ASKFIRST_SIP_TLS_KEY are only of use together.');
  }
  if (certificate !== undefined && key !== undefined) {
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) {
      throw unusable('The key in ASKFIRST_SIP_TLS_KEY is not that of ASKFIRST_SIP_TLS_CERT.');
    }
  }
  return {
    ...(authorities === undefined ? {} : { authorities }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
  };
}

function unusable(message: string, cause?: unknown): Failure {
  return new Failure({
    code: 'sip_tls_unusable',
    message,
    fix: 'Name readable PEM files: an authority, and a certificate with its own key.',
    verdict: 'terminal',
    side: 'client',
    cause,
  });
}
