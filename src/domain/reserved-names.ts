// Reserved names: a visitor would take them for the site itself, in whatever spelling.

// Includes the mailboxes of RFC 2142, which mail systems trust.
const RESERVED =
  'abuse account admin administrator anonymous api billing contact everyone guest guildhall help hostmaster info login logout ' +
  'mail me moderator nobody noreply no-reply null official owner postmaster profile register root security staff support ' +
  'sysadmin system team undefined user webmaster www 管理員 管理者 系統管理員 管理员 系统管理员 站長 站长 版主 客服 官方'

/** Pairs of a letter and the one that it looks like: the common ones of UTS #39, mostly Cyrillic and Greek. */
const LOOK_ALIKES = new Map(
  (
    'АAаaВBЕEеeЅSѕsІIіiЈJјjКKкkМMмmНHһhОOоoРPрpСCсcТTтtУYуyХXхxԀDԁdԌGԍgԚQԛqԜWԝwӀlӏlґrгrпnԉd' +
    'ΑAαaΒBΕEεeΖZΗHΙIιiΚKκkΜMΝNνvΟOοoσoΡPρpΤTτtΥYυuΧXχxγyηnϲcωw' +
    'ɑaɡgıiɩiɪiłlոnօoսuհhցgԁd' +
    'ɢgʟlʜhøoØođdĐdɖdɗdłlŁl' +
    'ꓮaꓐbꓚcꓓdꓰeꓝfꓖgꓧhꓲiꓙjꓗkꓡlꓟmꓠnꓳoꓑpꓣrꓢsꓔtꓴuꓦvꓪwꓫxꓬyꓜz' +
    'ᎪaᏴbᏟcᎠdᎬeᏀgᎻhᏆiᎫjᏦkᏞlᎷmᏢpᎡrᏚsᎢtᏙvᎳwᏃz' +
    'ᴀaᴄcᴅdᴇeᴊjᴋkᴍmɴnᴏoᴘpʀrꜱsᴛtᴜuᴠvᴡwᴢz' +
    '0o1l3e4a5s7t|l!l$s@a'
  )
    .match(/../gu)
    ?.map(([letter = '', alike = '']) => [letter, alike] as const),
)

const WORDS = new Set(RESERVED.split(' ').map(skeletonOf))
/** Ignored beside a reserved word: `The Admin of this Site`. */
const FILLERS = new Set('a an at for from of on our site the this your'.split(' ').map(skeletonOf))

/** Whether a name claims to be the site or its staff: `Administrator`, `Аdmin` in Cyrillic, `s u p p o r t`, `Guildhall Team`. */
export function isReserved(name: string, siteName: string): boolean {
  const words = wordsIn(name)
  if (words.length === 0) return false
  const meaningful = words.filter((word) => !FILLERS.has(word))
  const rest = words.filter((word) => !WORDS.has(word)).join('')
  const allReserved = meaningful.length > 0 && meaningful.every((word) => WORDS.has(word))
  return allReserved || rest === skeletonOf(siteName) || WORDS.has(words.join(''))
}

/** A text as a reader perceives it: without case, accents, spaces and punctuation; look-alikes are one letter. */
function skeletonOf(text: string): string {
  return wordsIn(text).join('')
}

function wordsIn(text: string): readonly string[] {
  return Array.from(
    text.normalize('NFKD').replace(/[\p{M}\p{Default_Ignorable_Code_Point}]/gu, ''),
    (letter) => LOOK_ALIKES.get(letter) ?? letter,
  )
    .join('')
    .toLowerCase()
    .replaceAll('i', 'l')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
}
