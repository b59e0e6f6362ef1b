/** What every command that asks the service takes. */
export interface CommonOptions {
  readonly json?: true | undefined;
  readonly socket?: string | undefined;
}
