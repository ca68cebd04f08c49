/**
 * Words by which the linter knows what a template speaks of, in the languages of the built-in
 * templates. Whole words for scripts with letters that join (a "sale" is not in "wholesale").
 */

/** Latin words match whole; other scripts write particles onto the word, so a part will do. */
function words(latin: readonly string[], other: readonly string[] = []): RegExp {
  const whole = `(?<![\\p{L}\\p{N}])(${latin.join('|')})(?![\\p{L}\\p{N}])`;
  return new RegExp([whole, ...other].join('|'), 'iu');
}

export const WHATSAPP = words(
  ['whatsapp', 'whats app'],
  ['واتساب', 'واتس اب', 'व्हाट्सएप', 'व्हाट्सऐप'],
);

/** "Free, over data/WiFi": any of these tells that the call costs no minutes. */
export const FREE_CALL = words(
  [
    'free',
    'at no cost',
    'gratis',
    'gratuita',
    'gratuito',
    'gratuitement',
    'gratuit',
    'gratuite',
    'kostenlos',
    'kostenfrei',
    'de graça',
    'wi-?fi',
    'wlan',
    'wifi',
    'mobile data',
    'mobile daten',
    'dados móveis',
  ],
  ['مجان', 'मुफ़्त', 'मुफ्त', 'निःशुल्क'],
);

/** That it is about a call at all. */
export const CALL = words(
  [
    'call',
    'calls',
    'callback',
    'call you',
    'phone',
    'ring',
    'llamar\\p{L}*',
    'llamada\\p{L}*',
    'llame\\p{L}*',
    'appel\\p{L}*',
    'rappel\\p{L}*',
    'anruf\\p{L}*',
    'anrufe\\p{L}*',
    'anzurufen',
    'rückruf\\p{L}*',
    'telefon\\p{L}*',
    'ligar',
    'ligue',
    'ligação\\p{L}*',
    'ligações',
    'chamada\\p{L}*',
    'chiam\\p{L}*',
    'telefon\\p{L}*',
    'richiam\\p{L}*',
  ],
  ['اتصال', 'نتصل', 'مكالم', 'कॉल'],
);

/** Sales talk: Meta makes such a UTILITY template MARKETING, or rejects it (INCORRECT_CATEGORY). */
export const PROMOTION = words(
  [
    'discount\\p{L}*',
    'sale',
    'sales offer',
    'special offer',
    'offer ends',
    'limited time',
    'voucher\\p{L}*',
    'coupon\\p{L}*',
    'promo',
    'promotion\\p{L}*',
    'promotional',
    'deal',
    'deals',
    'buy now',
    'black friday',
    'cashback',
    'upgrade now',
    'exclusive offer',
    'descuento\\p{L}*',
    'oferta\\p{L}*',
    'rebajas',
    'promoción\\p{L}*',
    'cupón',
    'réduction\\p{L}*',
    'remise\\p{L}*',
    'soldes',
    'offre spéciale',
    'code promo',
    'rabatt\\p{L}*',
    'sonderangebot\\p{L}*',
    'gutschein\\p{L}*',
    'schnäppchen',
    'desconto\\p{L}*',
    'promoção',
    'promoções',
    'cupom',
    'liquidação',
    'sconto',
    'sconti',
    'offerta',
    'offerte',
    'saldi',
    'promozione',
    'promozioni',
    'buono sconto',
  ],
  ['خصم', 'تخفيض', 'عرض خاص', 'قسيمة', 'छूट', 'ऑफ़र', 'ऑफर', 'डिस्काउंट', 'सेल'],
);

/** Purposes that say nothing; the page names "future calls" a bad practice. */
export const VAGUE = words([
  'future calls',
  'from time to time',
  'any time',
  'anytime',
  'in the future',
  'various topics',
  'just checking',
  'stay in touch',
  'futuras llamadas',
  'appels futurs',
  'künftige anrufe',
  'futuras ligações',
  'chiamate future',
]);
