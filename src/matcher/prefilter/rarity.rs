//! How rare a few bytes are in ordinary text, estimated from the frequencies of pairs of bytes.

/// Bytes that are told apart, letters in either case; digits, white space and all others are one each.
const SYMBOLS: &[u8; 39] = b"abcdefghijklmnopqrstuvwxyz0 _-./:=\"'(),";

/// For each symbol, and last for all others: how rare it is, in half bits from `a` = 0 on.
/// Measured on source code in C, Python, Ruby and Go and on its documentation.
const SINGLE: &[u8; 40] = b"jnllimmmjrpllkkmrjjilooporlfmonpopmqppog";

/// For each symbol: how rare each symbol is behind it, in the same unit.
#[rustfmt::skip]
const PAIRS: [&[u8; 40]; 40] = [
    b"nkijrplrktohihulshhflnpqnrokrrssswowsssl",
    b"hmnohqqpjjrglriqrjlqgrrsjsllnqkmqvosrpph",
    b"hrmqirsgmsijnsfqskpflsttqtnkpmqsnvstqrrk",
    b"ioqlfqsrhstnqnjpuolqkrsqotnejonrmqmqmnmj",
    b"kqijnkorpstklhqmnghirnnkoupgkomsnqlrnonl",
    b"irqpkjrrfsskopgrsjlmktssmtmfmpmuqtrtmpoj",
    b"lrosgrnmessnqklpsjgolqrtqroglplmpsnropoi",
    b"grqqersrisqpoqhrsmnklsssrrnhkonrornrnooi",
    b"mmkikikuturhlfhnskigsluounqnttsvwxtxwvuk",
    b"knmnfnnomnnnnoinnninknmonojmpqqqssrtsqre",
    b"konnfnkniqpnpmkpoojlmpopoqlhjmlposnqnoog",
    b"iprkfmrogtrhrrhourjijqsukuohmqosotpropoj",
    b"fmqnfsrrhsrniohitrgomsssotojnrpnsvqussrj",
    b"isjhilhrktnoqmiptqiglnuupuqglqnnpslqnppk",
    b"olkjqlmumrnkifljvfkjinlstsqinprsswqustsl",
    b"fopmgrpnktoiqshjthlhksrsnsnkmpnqqtqtprri",
    b"lonomolonomjoooomooodnnooojlqrprsrrtrpoe",
    b"iommeoltivnnklirvkjjkprvltpgmqnrpsotoopk",
    b"msltgsjkjvoqqsllqrifjsqvoupglqknmrlnonnk",
    b"itmqgqqhhwuqptiowhklluqqluqginlpnsmroook",
    b"jjjmiknrjsrgkhpjtghhrstrssomvwtvxwttxwwi",
    b"fqpqdqqqhqrqpokqrqnqqpqqqrjmonpqstospppf",
    b"hkpoipqifqqopkhpqjloqomqpplilonrpsptmppg",
    b"kpkokoppipppnpogqoogopponpgilnmpoqnrnolf",
    b"mooqmqqqnqqmlnjglojjqqnqqomejmkmlplpnnlg",
    b"jnnnfnnnknnnmnknnnnnlnmnmmjkqrpossoqrqrd",
    b"mmnmnnpppppppopopppppopkppdhonknnslqsljf",
    b"kmkllmnolurolmmmvlkjoonvsvmctntrpnkoouzh",
    b"jkhjiimljqokjjjiqihilmltttopnxvyzzvwpvpk",
    b"lljllimnltrmlmlkqkkknontupjiyesuxvruwvyg",
    b"klgkkkklloqmljmksjijnnmtqtigowkovxlsusui",
    b"jkjkmkkllppmlmkirjjinlmprrlhtqoirwoqurpg",
    b"nmnnpmpqotupokqnunnmprruuvicvvwmijhuvvvh",
    b"qqqpposqputrrorrtppnrrtutulcwuttvgimruvg",
    b"lnlmnllomtqmllokullkmoqsqumevpqphvkqtkhh",
    b"lomnonlnnssonoomtmjkopqtstmernnolujntjie",
    b"kmjlklmnlronklllrjijnmoptskkoprplwhlohyf",
    b"vvuuvuvututstttuuttttquvwuqcvsjrlvlqqiif",
    b"rutrttvvruwuuqrtsssruvvvvwnbywxxzzhvxvyj",
    b"ooooopppoppoonoopomoooopppkhrpppoqnqppnb",
];

/// The rarity of these bytes, in half bits.
pub(super) fn rarity(bytes: &[u8]) -> u32 {
    let mut before: Option<usize> = None;
    let mut sum = 0;
    for &byte in bytes {
        let symbol = symbol(byte);
        let row = before.map_or(SINGLE, |before| PAIRS[before]);
        sum += u32::from(row[symbol] - b'a');
        before = Some(symbol);
    }
    sum
}

fn symbol(byte: u8) -> usize {
    let byte = match byte.to_ascii_lowercase() {
        b'0'..=b'9' => b'0',
        b'\t' | b'\n' | b'\r' => b' ',
        other => other,
    };
    SYMBOLS.iter().position(|&symbol| symbol == byte).unwrap_or(SYMBOLS.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_often_is_common() {
        for (common, rare) in [("tion", "onyx"), ("name", "n4me"), ("NAME", "nmae"), ("    ", "  !~")] {
            assert!(rarity(common.as_bytes()) < rarity(rare.as_bytes()), "{common} {rare}");
        }
    }
}
