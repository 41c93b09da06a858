// Names that a visitor would take for the site itself, however spelled: nobody may have one.

// Also addresses of RFC 2142 that mail systems trust.
const RESERVED =
  'abuse account admin administrator anonymous api billing contact everyone guest guildhall help hostmaster info login logout ' +
  'mail me moderator nobody noreply no-reply null official owner postmaster profile register root security staff support ' +
  'sysadmin system team undefined user webmaster www 管理員 管理者 系統管理員 管理员 系统管理员 站長 站长 版主 客服 官方'

/** Letters that look like another, each before the one that it looks like: the everyday ones of UTS #39, Cyrillic and Greek first of all. */
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
/** Beside a reserved word they say nothing of their own: `The Admin of this Site`. */
const FILLERS = new Set('a an at for from of on our site the this your'.split(' ').map(skeletonOf))

/** Whether a name says that it is the site, or whoever runs it: `Administrator`, `Аdmin` in Cyrillic, `s u p p o r t`, `Guildhall Team`. */
export function isReserved(name: string, siteName: string): boolean {
  const words = wordsIn(name)
  if (words.length === 0) return false
  const said = words.filter((word) => !FILLERS.has(word))
  const rest = words.filter((word) => !WORDS.has(word)).join('')
  const isOfTheSite = said.length > 0 && said.every((word) => WORDS.has(word))
  return isOfTheSite || rest === skeletonOf(siteName) || WORDS.has(words.join(''))
}

/** As a reader takes it in: no case, no accents, nothing but letters and digits, and those that look alike are one. */
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
