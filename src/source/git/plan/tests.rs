//! Plans of random forests, against following each delta to its root.

use proptest::prelude::*;

use super::*;

const KINDS: [Kind; 4] = [Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag];

/// A base (a number, of which what is too large is no entry), what an entry without one is, and whether it is asked for.
type Entry = (usize, usize, bool);

fn base_of(entries: &[Entry], at: usize, forwards: bool) -> u32 {
    let base = entries[at].0;
    let end = if forwards { at } else { entries.len() };
    let base = if forwards { base % (at + 2) } else { base };
    if base < end { base as u32 } else { NONE }
}

/// A plan whose headers were read, with the links that they say.
fn read(entries: &[Entry], forwards: bool) -> (Plan, Links) {
    let count = entries.len();
    let mut plan = Plan {
        rows: (0..count).map(|at| (100 * at as u64, (count - 1 - at) as u32)).collect(),
        first_child: Vec::new(),
        children: Vec::new(),
        flags: vec![0; count],
        roots: Vec::new(),
        broken: Vec::new(),
    };
    let mut links = Links { base: vec![NONE; count], kind: vec![None; count] };
    for (at, &(_, what, _)) in entries.iter().enumerate() {
        links.base[at] = base_of(entries, at, forwards);
        // One in eight that are no deltas is broken, one a delta against another pack.
        if links.base[at] == NONE && what != 0 {
            plan.flags[at] = REACHED;
            links.kind[at] = KINDS.get(what % 8).copied();
        }
    }
    plan.link_children(&links);
    (plan, links)
}

/// An entry, its base, the base of that and so on to the root. None if there is no way from a root.
fn chain(plan: &Plan, links: &Links, entry: u32) -> Option<Vec<u32>> {
    let mut chain = vec![entry];
    loop {
        let last = chain.last().copied()?;
        match links.base[last as usize] {
            NONE => return (plan.flags[last as usize] == REACHED).then_some(chain),
            _ if chain.len() > plan.rows.len() => return None,
            base => chain.push(base),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    /// Where every base stands before what is made from it, and where some do not, or never end.
    #[test]
    fn a_plan_says_what_each_chain_of_deltas_does(
        entries in prop::collection::vec((0usize..30, 0usize..8, any::<bool>()), 0..40),
        forwards in any::<bool>(),
    ) {
        let (mut plan, links) = read(&entries, forwards);
        prop_assert!(!forwards || links.bases_come_first());
        let numbers = 0..entries.len() as u32;
        let chains: Vec<Option<Vec<u32>>> = numbers.clone().map(|entry| chain(&plan, &links, entry)).collect();
        let wants = |at: usize, kind: Option<Kind>| entries[entries.len() - 1 - at].2 && kind != Some(Kind::Tree);
        let kind = |chain: &Vec<u32>| links.kind[chain[chain.len() - 1] as usize];
        let is_wanted = |chain: &&Vec<u32>| wants(entries.len() - 1 - chain[0] as usize, kind(chain));
        let above = |entry: u32| chains.iter().flatten().filter(move |chain| chain.contains(&entry));
        let weight = |entry: u32| above(entry).count().max(1);

        let flags: Vec<u8> = numbers.clone().map(|entry| {
            let own = chains[entry as usize].as_ref();
            let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
            flag(own.is_some(), REACHED)
                | flag(own.filter(|chain| is_wanted(chain)).is_some(), WANTED)
                | flag(above(entry).any(|chain| is_wanted(&chain)), NEEDED)
        }).collect();
        let is_root = |entry: &u32| {
            chains[*entry as usize].as_ref().is_some_and(|chain| chain.len() == 1) && flags[*entry as usize] & NEEDED != 0
        };
        let roots: Vec<u32> = numbers.clone().filter(is_root).collect();
        let is_lost = |entry: &u32| chains[*entry as usize].is_none() && links.base[*entry as usize] != NONE;
        let broken: Vec<usize> = numbers.clone().filter(is_lost).map(|entry| entries.len() - 1 - entry as usize).collect();
        let children: Vec<Vec<u32>> = numbers.clone().map(|entry| {
            let mut children: Vec<u32> =
                numbers.clone().filter(|child| links.base[*child as usize] == entry).collect();
            if let Some(heaviest) = (0..children.len()).max_by_key(|&at| weight(children[at])) {
                let heaviest = children.remove(heaviest);
                children.insert(0, heaviest);
            }
            children
        }).collect();

        let kinds = links.kind.clone();
        plan.mark(Links { base: links.base.clone(), kind: kinds }, &wants);
        prop_assert_eq!(&plan.flags, &flags);
        prop_assert_eq!(&plan.roots, &roots);
        prop_assert_eq!(plan.broken.iter().map(|broken| broken.0).collect::<Vec<_>>(), broken);
        for (entry, children) in numbers.zip(&children) {
            prop_assert_eq!(plan.all_children(entry), &children[..]);
        }
    }
}
