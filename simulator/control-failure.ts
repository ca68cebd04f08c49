/** A control request that cannot be done; the router turns it into JSON with the fix. */
export class ControlFailure extends Error {
  override readonly name = 'ControlFailure';
  readonly http: number;
  readonly code: string;
  readonly fix: string;

  constructor(http: number, code: string, message: string, fix: string) {
    super(message);
    this.http = http;
    this.code = code;
    this.fix = fix;
  }
}
