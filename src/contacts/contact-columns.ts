/** What a column of a file of contacts can be, beside a variable. */
export const FIELD_NAMES = ['number', 'name', 'language', 'timeZone', 'externalId'] as const;
export type FieldName = (typeof FIELD_NAMES)[number];

/** What the first line of a file may call each column, in small letters. */
const KNOWN: Record<FieldName, readonly string[]> = {
  number: 'number,phone,phone number,phone_number,phonenumber,mobile,msisdn,e164,tel,telephone'
    .concat(',telefon,to,user id,user_id,bsuid,wa_id')
    .split(','),
  name: ['name', 'full name', 'full_name', 'customer', 'customer name', 'customer_name'],
  language: ['language', 'lang', 'locale', 'sprache'],
  timeZone: ['time zone', 'time_zone', 'timezone', 'tz', 'zone'],
  externalId: ['external id', 'external_id', 'externalid', 'id', 'customer id', 'customer_id'],
};

/**
 * Where the column of a field stands, told by the names in the first line (small letters); null
 * where no name says so. Of two that do the first counts, unless it is `taken` for another field.
 */
export function knownColumn(
  names: readonly string[],
  field: FieldName,
  taken: readonly number[],
): number | null {
  const at = names.findIndex((name) => KNOWN[field].includes(name));
  return at === -1 || taken.includes(at) ? null : at;
}
