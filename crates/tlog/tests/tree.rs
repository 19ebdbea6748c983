//! The tree against three witnesses: the recursion of RFC 6962 written out naively, the vectors of the Certificate
//! Transparency project, and an unrelated implementation.

use proptest::prelude::*;
use tlog::{
    EMPTY_ROOT, Edge, Error, Hash, Level, Subtree, Tile, consistency_proof, inclusion_proof, leaf_hash,
    node_hash, subtree_hash, tree_hash, verify_consistency, verify_inclusion,
};

/// MTH of RFC 6962 §2.1, to the letter.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [one] => *one,
        _ => {
            let k = naive_split(leaves.len());
            node_hash(&naive_root(&leaves[..k]), &naive_root(&leaves[k..]))
        }
    }
}

fn naive_split(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

/// PATH of RFC 6962 §2.1.1.
fn naive_path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return vec![];
    }
    let k = naive_split(leaves.len());
    if m < k {
        let mut path = naive_path(m, &leaves[..k]);
        path.push(naive_root(&leaves[k..]));
        path
    } else {
        let mut path = naive_path(m - k, &leaves[k..]);
        path.push(naive_root(&leaves[..k]));
        path
    }
}

/// SUBPROOF of RFC 6962 §2.1.2.
fn naive_subproof(m: usize, leaves: &[Hash], known: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if known { vec![] } else { vec![naive_root(leaves)] };
    }
    let k = naive_split(leaves.len());
    if m <= k {
        let mut proof = naive_subproof(m, &leaves[..k], known);
        proof.push(naive_root(&leaves[k..]));
        proof
    } else {
        let mut proof = naive_subproof(m - k, &leaves[k..], false);
        proof.push(naive_root(&leaves[..k]));
        proof
    }
}

fn entry(i: u64) -> Vec<u8> {
    format!("entry {i}").into_bytes()
}

fn leaves(n: usize) -> Vec<Hash> {
    (0..n as u64).map(|i| leaf_hash(&entry(i))).collect()
}

/// Hashes of subtrees straight from the leaves.
fn from_leaves(leaves: &[Hash]) -> impl FnMut(Subtree) -> Result<Hash, Error> {
    |s| Ok(naive_root(&leaves[(s.index as usize) << s.height..(s.index as usize + 1) << s.height]))
}

/// A log kept as tiles in memory, as a folder would hold them.
#[derive(Default)]
struct Tiles {
    edge: Edge,
    full: std::collections::HashMap<Tile, Vec<u8>>,
}

impl Tiles {
    fn push(&mut self, leaf: Hash) {
        let full = &mut self.full;
        self.edge.push(leaf, |tile, hashes| {
            full.insert(tile, hashes.iter().flat_map(|h| h.0).collect());
        });
    }

    fn read(&self, tile: Tile) -> Result<Vec<u8>, Error> {
        if let Some(bytes) = self.full.get(&tile) {
            return Ok(bytes.clone());
        }
        let (_, hashes) = self.edge.partial_tiles().find(|(t, _)| *t == tile).expect("a tile of this tree");
        Ok(hashes.iter().flat_map(|h| h.0).collect())
    }
}

#[test]
fn roots_of_the_certificate_transparency_vectors() {
    let inputs =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let bytes = |hex: &str| -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
    };
    let mut edge = Edge::new();
    assert_eq!(edge.root(), EMPTY_ROOT);
    for (input, root) in inputs.iter().zip(roots) {
        edge.push(leaf_hash(&bytes(input)), |_, _| ());
        assert_eq!(edge.root().0.to_vec(), bytes(root), "size {}", edge.size());
    }
}

#[test]
fn every_root_up_to_600_is_the_naive_one() {
    let all = leaves(600);
    let mut tiles = Tiles::default();
    for n in 0..=600 {
        assert_eq!(tiles.edge.root(), naive_root(&all[..n]), "size {n}");
        assert_eq!(tree_hash(&all[..n]), naive_root(&all[..n]), "size {n}");
        let loaded = Edge::load(n as u64, |tile| tiles.read(tile)).unwrap();
        assert_eq!(loaded.root(), tiles.edge.root(), "reloaded at {n}");
        if n < 600 {
            tiles.push(all[n]);
        }
    }
}

#[test]
fn every_proof_up_to_64_is_the_naive_one_and_holds_nowhere_else() {
    let all = leaves(64);
    let roots: Vec<Hash> = (0..=64).map(|n| naive_root(&all[..n])).collect();
    for n in 1..=64 {
        let root = roots[n];
        for i in 0..n {
            let proof = inclusion_proof(i as u64, n as u64, from_leaves(&all)).unwrap();
            assert_eq!(proof, naive_path(i, &all[..n]), "{i} in {n}");
            for j in 0..n {
                let holds = verify_inclusion(j as u64, n as u64, all[i], &proof, &root).is_ok();
                assert_eq!(holds, i == j, "proof of {i} in {n} at {j}");
            }
        }
        for old in 1..=n {
            let proof = consistency_proof(old as u64, n as u64, from_leaves(&all)).unwrap();
            let naive = if old == n { vec![] } else { naive_subproof(old, &all[..n], true) };
            assert_eq!(proof, naive, "{old} to {n}");
            let (old, n) = (old as u64, n as u64);
            let (forged_old, forged) = (node_hash(&roots[old as usize], &root), node_hash(&root, &root));
            assert!(
                verify_consistency(old, n, &forged_old, &root, &proof).is_err(),
                "another old root, {old} to {n}"
            );
            assert!(
                verify_consistency(old, n, &roots[old as usize], &forged, &proof).is_err(),
                "another root"
            );
            let (old, n) = (old as usize, n as usize);
            for (other, other_root) in roots.iter().enumerate().take(n + 1).skip(1) {
                let holds = verify_consistency(other as u64, n as u64, other_root, &root, &proof).is_ok();
                assert_eq!(holds, old == other, "proof from {old} to {n} taken as from {other}");
            }
        }
    }
}

#[test]
fn proofs_out_of_tiles_agree_beyond_one_tile() {
    let n = 70_000;
    let all = leaves(n);
    let mut tiles = Tiles::default();
    all.iter().for_each(|leaf| tiles.push(*leaf));
    let root = tree_hash(&all);
    assert_eq!(tiles.edge.root(), root);
    let n = n as u64;
    let hash = |s| subtree_hash(s, n, |tile| tiles.read(tile));
    for i in [0, 1, 255, 256, 65_535, 65_536, 69_999] {
        let proof = inclusion_proof(i, n, hash).unwrap();
        verify_inclusion(i, n, all[i as usize], &proof, &root).unwrap();
    }
    for old in [0, 1, 2, 255, 256, 257, 65_535, 65_536, 65_537, 70_000] {
        let proof = consistency_proof(old, n, hash).unwrap();
        verify_consistency(old, n, &tree_hash(&all[..old as usize]), &root, &proof).unwrap();
    }
}

#[test]
fn an_unrelated_implementation_agrees() {
    let mut other = ct_merkle::mem_backed_tree::MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
    let all = leaves(300);
    for n in 1..=300_usize {
        other.push(entry(n as u64 - 1));
        assert_eq!(tree_hash(&all[..n]).0, <[u8; 32]>::from(*other.root().as_bytes()), "size {n}");
        let i = (n * 7) % n.max(1);
        let bytes: Vec<u8> = inclusion_proof(i as u64, n as u64, from_leaves(&all))
            .unwrap()
            .iter()
            .flat_map(|h| h.0)
            .collect();
        assert_eq!(bytes, other.prove_inclusion(i).as_bytes(), "inclusion of {i} in {n}");
        let old = n.div_ceil(3);
        let bytes: Vec<u8> = consistency_proof(old as u64, n as u64, from_leaves(&all))
            .unwrap()
            .iter()
            .flat_map(|h| h.0)
            .collect();
        assert_eq!(bytes, other.prove_consistency(n - old).as_bytes(), "{old} to {n}");
    }
}

#[test]
fn nothing_is_proved_outside_the_tree() {
    let all = leaves(5);
    assert_eq!(inclusion_proof(5, 5, from_leaves(&all)), Err(Error::Outside { index: 5, size: 5 }));
    assert_eq!(consistency_proof(6, 5, from_leaves(&all)), Err(Error::Outside { index: 6, size: 5 }));
    assert!(verify_inclusion(0, 0, all[0], &[], &all[0]).is_err());
    assert!(
        verify_consistency(0, 5, &all[0], &tree_hash(&all), &[]).is_err(),
        "the empty tree has one root only"
    );
    assert!(verify_consistency(0, 5, &EMPTY_ROOT, &tree_hash(&all), &[]).is_ok());
}

proptest! {
    #[test]
    fn any_change_to_a_proof_breaks_it(n in 2_u64..3_000, at in any::<u64>(), pick in any::<prop::sample::Index>(), bit in 0_usize..256) {
        let all = leaves(n as usize);
        let root = tree_hash(&all);
        let i = at % n;
        let proof = inclusion_proof(i, n, from_leaves(&all)).unwrap();
        prop_assert!(verify_inclusion(i, n, all[i as usize], &proof, &root).is_ok());
        let mut flipped = proof.clone();
        flipped[pick.index(proof.len())].0[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(verify_inclusion(i, n, all[i as usize], &flipped, &root).is_err());
        prop_assert!(verify_inclusion(i, n, all[i as usize], &proof[1..], &root).is_err());
        let mut longer = proof.clone();
        longer.push(root);
        prop_assert!(verify_inclusion(i, n, all[i as usize], &longer, &root).is_err());

        let old = i.max(1);
        let old_root = tree_hash(&all[..old as usize]);
        let mut proof = consistency_proof(old, n, from_leaves(&all)).unwrap();
        prop_assert!(verify_consistency(old, n, &old_root, &root, &proof).is_ok());
        proof.push(root);
        prop_assert!(verify_consistency(old, n, &old_root, &root, &proof).is_err());
        proof.pop();
        if !proof.is_empty() {
            let last = pick.index(proof.len());
            proof[last].0[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(verify_consistency(old, n, &old_root, &root, &proof).is_err());
        }
    }

    #[test]
    fn arbitrary_hashes_prove_nothing(index in any::<u64>(), size in any::<u64>(), proof in prop::collection::vec(any::<[u8; 32]>(), 0..70)) {
        let proof: Vec<Hash> = proof.into_iter().map(Hash).collect();
        prop_assert!(verify_inclusion(index, size, EMPTY_ROOT, &proof, &EMPTY_ROOT).is_err() || size == 1);
        let _ = verify_consistency(index, size, &EMPTY_ROOT, &EMPTY_ROOT, &proof);
    }

    #[test]
    fn a_tile_is_its_path(level in 0_u8..8, entries in any::<bool>(), index in 0_u64..u64::MAX / 2, width in 1_u16..=256) {
        let level = if entries { Level::Entries } else { Level::Hashes(level) };
        let tile = Tile { level, index, width };
        prop_assert_eq!(Tile::parse(&tile.path()), Some(tile));
    }

    #[test]
    fn any_path_is_read_without_panic(path in "(tile/)?(entries|[0-9]{1,3})?/?(x?[0-9]{0,4}/?){0,9}(\\.p/[0-9]{0,4})?") {
        if let Some(tile) = Tile::parse(&path) {
            prop_assert_eq!(tile.path(), path);
        }
    }
}

#[test]
fn paths_of_the_specification() {
    let path = |level, index, width| Tile { level, index, width }.path();
    assert_eq!(path(Level::Hashes(0), 1_234_067, 256), "tile/0/x001/x234/067");
    assert_eq!(path(Level::Hashes(1), 0, 5), "tile/1/000.p/5");
    assert_eq!(path(Level::Entries, 273, 112), "tile/entries/273.p/112");
    for bad in [
        "tile/0/0",
        "tile/00/000",
        "tile/8/0/000",
        "tile/0/000.p/256",
        "tile/0/000.p/0",
        "tile/0/000.p/05",
        "tile/0/x000/000",
        "tile/64/000",
        "tile/entries/+01",
        "checkpoint",
    ] {
        assert_eq!(Tile::parse(bad), None, "{bad}");
    }
}
