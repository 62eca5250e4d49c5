//! Exact sections of planes with more regions than allowed.

use crate::{MEMORY, alone};
use morphscape::data::fashion_mnist;
use morphscape::model::{ModelOptions, read_model};
use morphscape::sections::*;
use std::path::Path;

const MIB: f64 = 1024.0 * 1024.0;

#[test]
fn memory_grows_with_the_regions_that_are_allowed_alone() {
    let _alone = alone();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/fashion-mnist-cnn.safetensors");
    let model = read_model(&file, &ModelOptions::default()).expect("a model");
    let network = SectionNetwork::new(&model, SpaceKind::Images).expect("a network");
    let set = fashion_mnist();
    let points = [2201, 9325, 4179].map(|item| {
        let image = set.image(item).expect("held in memory");
        network.space().point(&image.levels)
    });
    let plane = ItemPlane::new(points.each_ref().map(Vec::as_slice), [BOX_MARGIN; 2]);
    let plane = plane.expect("a plane");
    // The whole box has some 2 x 10^7 regions.
    let peaks = [1_000, 8_000].map(|limit| {
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage() as f64;
        let options = PlaneOptions { max_regions: limit };
        let found = exact_plane(&network, &plane, &plane.corners(), &options);
        match found {
            Err(SectionError::TooManyRegions { limit: named }) => assert_eq!(named, limit),
            other => panic!("{:?}", other.map(|section| section.regions)),
        }
        (MEMORY.peak_usage() as f64 - before) / MIB
    });
    println!("peaks of 1,000 and 8,000 regions: {peaks:.0?} MiB");
    assert!(peaks[0] < 600.0 && peaks[1] < 2048.0, "{peaks:?}");
}
