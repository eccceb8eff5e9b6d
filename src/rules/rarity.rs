//! How rare a few bytes are in ordinary text, estimated from the frequencies of pairs of bytes and of the
//! commonest fours.

use std::collections::HashMap;
use std::sync::OnceLock;

/// Bytes by which a literal is looked for: four, and the four that begin one byte later.
const SOUGHT: usize = 5;

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

/// Four letters that stand together more often than their pairs tell, most of all in the words that programs are
/// made of: how rare, in half bits, and which, one behind the other. Bit 5 is set in all bytes, as it is when
/// case is ignored, so that `_` is 0x7f. Measured on the same text.
#[rustfmt::skip]
const COMMON: &[(u32, &[u8])] = &[
    (18, b" thetion"),
    (19, b"nametestthe "),
    (20, b"commest\x7ffilegid git gstring msgimsgssgidsgststr "),
    (21, b" ass com con end forableasseatiocontctiodataformion ormapathptioringrmatsertsserstritype"),
    (21, b"with"),
    (22, b" and def err fil not str tes wit-foractialueand atchconfctordef ectoerroert\x7feturexpefor "),
    (22, b"ionsjectmentmmitnfignot ommionfioptipectportqualrentreporeturrorructsionstatstrutrintruc"),
    (22, b"turnurn valuxpec"),
    (23, b" act bui cha git nam ref res tha use val\"gitalidalseame\"anchangearenate aultbasebjecbran"),
    (23, b"builc-focesschecctivdatedetediffdulee ree thect ectiect\x7fent ent\"ergeesuletecfalsfromhead"),
    (23, b"heckhostifieile iltiindeith linelistlocaltinmergmodundexnullobjeodulontepackparerancread"),
    (23, b"remoresuselfsultt retectted textthistimetingtivetorytrueual uct uiltvali"),
    (24, b" can exp fro int nil obj par pat pro rep ret sel set sta thi tru you\"par.comaaaaactuadat"),
    (24, b"ame ame:ansiare argsarsease ble canncceschancharclascludcompconscordcreacretctedctuadefa"),
    (24, b"diree coeateecorecreecteed tefauemotentsequaeriferr ersiess est f thfailfaulfiedfullfunc"),
    (24, b"hanghat his httpibleicatinfoinitint inteion\x7firecitorlasslectloadludematcmetamit modemote"),
    (24, b"n thnsibnterntexocalolleonstouldoundountourcout parspdatposipostreatrecorectrequrom rt\x7fe"),
    (24, b"s thsecrset siblsingsourspecsucct cotabltentthatthertin/treetualt\x7fequcceupdaurceuserveri"),
    (24, b"verswantworkwrit\x7fcon\x7fequ\x7fnam\x7fpat"),
    (25, b" add all app are arg bra che dat det dif dir fal get has hea key lin mod opt out pre rem"),
    (25, b" sec sho sub ver whe wor\"ful\"met\"nam\"typ.new/tru:nulacheaderaileailsalhoalifanceapplass "),
    (25, b"ata\"atedate\x7fatteattratusauthbackble\x7fbytecachcalhcallcan casecatecaticodecom/conncounct\x7fs"),
    (25, b"d ind todingdname ine toead ectsecurednaef telf.elseentieposequeequieratermiessaetadexis"),
    (25, b"f tefflegithgit\x7fgresgrouhar hashhe che shen ibutiednientilesill impoin tincline ing\x7finst"),
    (25, b"ion.issiisteit cit rithulateles lhoslifillowllyqlocklterlyqumailmainmandmessmethmissmman"),
    (25, b"mplempornclunectng tnnecnst ntenof tommaone onlyonneons ore ort ositparapatcpporprinquir"),
    (25, b"railratirefsreseresoriburintritersioruffs ins nos tosagescanscrised servsignsitosizessag"),
    (25, b"ssiostinstorst\x7fcst\x7fesubmsuppt cht int stt thtadatatetatitatutch ter ternthubtialtorstrac"),
    (25, b"tribtrufttert\x7fcot\x7fext\x7fsuualiuffluireuld ullyuppouse whenwordxistyou ype\"yqua\x7fcom\x7fexp\x7ffil"),
    (25, b"\x7fsuc\x7ftyp"),
    (26, b" ans cla col cre des dis els imp inc ind ins len mai mer new non nul pac per pos rai ran"),
    (26, b" rea rec req rev run sca sup tim tra typ whi wil\"loc.con.gitabasack ackeadd age alizall "),
    (26, b"alloamesamplanneannoappearamata atabath aticatorb.cobmodbuteceptchemchescho ckoucliecoll"),
    (26, b"cripcurrd nod thdefideledentder descdex e ane dee fie foe pae seeacheadeechoeckoed aed b"),
    (26, b"ed ieferefinefixeleceletemenemovemptenamenceendeenerentrent\x7fer tereners es aes tesetespo"),
    (26, b"est.estiestsetchethoevenext.e\x7fcoe\x7freferefetcfig filtfindfirsforeg thgenegit-gnorhavehe f"),
    (26, b"he rhelphemaher herehinghub.idatieldignoiledilteing.ingsinpuinvaion\"ion:irstist it aiter"),
    (26, b"ith\x7five iverjsonkingkoutlatile tleasled len(letelicalidalienlinkllecllerlse markmovempty"),
    (26, b"mustnch nderndlened nerang ange ningnitinly nnernnotnotenputnstantronvalo thode oid oken"),
    (26, b"ontrors.ory ost/ostgotesotheoutpoverpacepartpasspattpecipendpermplicprefpresprocquesr th"),
    (26, b"rangransraterbufrediree referefirespressrge riesrifirifyriptrityrmisrollrootror rrens an"),
    (26, b"schesecuseleshowspacsponst cstanstarstgrstrbt ist totabatarttcheted\x7ftemptes tgrethinthod"),
    (26, b"thortic to ato ttoketputtrantrbutrolttpsttritureub.cubmoude uestule ult ultsumenunc urre"),
    (26, b"useduthoutpuventvoidwillype ytes\x7fdir\x7ffor\x7fopt\x7fsta\x7fstr\x7fwit"),
    (27, b" any att aut bas blo boo but cal cur del doe exi fai fin fun hav htt ini lis loc log mak"),
    (27, b" mat mes met one onl oth pas pri red reg ser spe tag tre upd var\"con\"non\"per\"pos\"res\"use"),
    (27, b"\"val(con(res(sel(str-fil.err.nam.res/opt/pkgacceach afteail ain aintaiseallyandlant ante"),
    (27, b"any archargearguariaarraartiatesathsautoave bbbbble.blobblocbodyboolbuf\x7fbut chedckedclea"),
    (27, b"cloncmp colocolucondcopycorecoulcts curid byd cod reded destdir dispdoese ise ofe pre st"),
    (27, b"e tee use.coeadseaseebasecifeconed fedireforefs/egexehogelpeemaiend ent.eralere erecerfo"),
    (27, b"ernaert erveescresecesouessietereveleverexamexceexecfactfferficafielfigufineflagflehfles"),
    (27, b"founfreefterget get\x7fgratgrepgumeh thhandhas he dhe phed hellhichhog/houlhtmlhunkialiich "),
    (27, b"ies if eif tiff ificify ightiginigneigurile\x7fimplin aind inesintfion(ionaiptiire is ais n"),
    (27, b"it iit sitemitiaitioits itteity/iveskey ld nle.cleanleholeselid lizelly lonelperlue lue\""),
    (27, b"lue=lumnm/trmakematimbermmenmmonmultn con inn ren vanablnce nd and tnew new(ngesnil node"),
    (27, b"nonenon\x7fnorentaintinntrynts n\x7fexo reocesodelog/vointolorolumom/tommeommoompaon ton vons."),
    (27, b"onseontaon\x7feoperopicor aor tord:ordeorigorteortyote our perfperspkg/platplaypoinponsppen"),
    (27, b"ppliprecprotpushput r torackractraisrderre treamrebared ref regeregirencreplres\"ret revi"),
    (27, b"rforrgetrgumrigirocerolerorsrotorounrouprse rtyprt\x7fnrubyrvers ars cos fos iss res wise i"),
    (27, b"sectshousideskipssinstensterstrastrests st\x7ffst\x7fmt ant bet dit fot not oft pat witagstain"),
    (27, b"targtaskte tteraterrterster\x7fthenthreto cto rto stopitoretorttor\x7ftps:treaty/tt\x7fcmt\x7fint\x7fno"),
    (27, b"t\x7fpat\x7freuildultiuncture uritusinutesvariverevertviewwhicxampy thy/tryourype:ype\x7f\x7fcmp\x7fcol"),
    (27, b"\x7fdat\x7fexi\x7fkey\x7flis\x7fnot\x7fpar\x7fpre\x7fref\x7frep\x7fres\x7fsch\x7ftes\x7fval"),
];

/// Offset of the five bytes of a literal by which it is best looked for: the two fours in them are the rarest
/// in ordinary text. 0 for literals of up to five bytes.
pub fn rarest(literal: &[u8]) -> usize {
    let least = |&at: &usize| {
        let fours = (literal.get(at..at + SOUGHT - 1), literal.get(at + 1..at + SOUGHT));
        fours.0.map_or(0, rarity).min(fours.1.map_or(0, rarity))
    };
    (0..literal.len().saturating_sub(SOUGHT - 1)).max_by_key(least).unwrap_or(0)
}

/// The rarity of these bytes, in half bits.
fn rarity(bytes: &[u8]) -> u32 {
    let by_pairs = rarity_by_pairs(bytes);
    let folded = bytes.first_chunk().map(|four: &[u8; 4]| four.map(|b| b | 0x20));
    folded.and_then(|four| common().get(&four)).map_or(by_pairs, |&known| by_pairs.min(known))
}

fn common() -> &'static HashMap<[u8; 4], u32> {
    static TABLE: OnceLock<HashMap<[u8; 4], u32>> = OnceLock::new();
    TABLE.get_or_init(|| {
        COMMON
            .iter()
            .flat_map(|&(level, fours)| fours.as_chunks().0.iter().map(move |four| (*four, level)))
            .collect()
    })
}

fn rarity_by_pairs(bytes: &[u8]) -> u32 {
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

    #[test]
    fn words_of_many_programs_are_not_what_a_literal_is_looked_for_by() {
        for (literal, sought) in
            [("quux access", "quux "), ("zyx_token", "zyx_t"), ("ab", ""), ("abcde", "abcde")]
        {
            let at = rarest(literal.as_bytes());
            assert_eq!(literal.get(at..at + SOUGHT).unwrap_or_default(), sought, "{literal}");
        }
    }
}
