//! All frames of a landscape as pictures.

use crate::data::{Image, Picture, whole};
use crate::landscape::{GridKind, Items, LandscapeFile};

/// The frames of a landscape in whole levels, `[steps, steps, H, W, C]`.
#[derive(Debug, Clone)]
pub struct Tiles {
    shape: [usize; 3],
    steps: usize,
    levels: Vec<u8>,
}

impl Tiles {
    /// The frames that a landscape has kept, rounded; nothing when it has none.
    pub fn of(file: &LandscapeFile) -> Option<Self> {
        let Items::Images { shape } = file.about.items else {
            return None;
        };
        let levels = file.landscape.inputs.as_ref()?;
        Some(Self {
            shape,
            steps: file.landscape.steps,
            levels: levels.iter().map(|&level| whole(level)).collect(),
        })
    }

    /// Frames as images, `steps * steps` of one shape.
    ///
    /// # Panics
    /// When there are not as many.
    pub fn of_images(frames: &[Image], steps: usize) -> Self {
        assert_eq!(frames.len(), steps * steps, "a grid of frames");
        Self {
            shape: frames[0].shape(),
            steps,
            levels: frames
                .iter()
                .flat_map(|frame| frame.levels.iter().map(|&level| whole(level)))
                .collect(),
        }
    }

    /// The frames in an atlas of them, as [`Tiles::atlas`] makes it.
    ///
    /// # Panics
    /// When the picture has not the atlas's shape.
    pub fn from_atlas(atlas: &Picture, steps: usize, shape: [usize; 3]) -> Self {
        let [height, width, channels] = shape;
        assert_eq!(
            [atlas.height_px, atlas.width_px, atlas.channels],
            [steps * height, steps * width, channels],
            "an atlas is steps x steps frames"
        );
        let row = width * channels;
        let mut levels = Vec::with_capacity(atlas.levels.len());
        for k in 0..steps * steps {
            for y in 0..height {
                let start = ((k / steps * height + y) * steps + k % steps) * row;
                levels.extend_from_slice(&atlas.levels[start..start + row]);
            }
        }
        Self {
            shape,
            steps,
            levels,
        }
    }

    /// `[height, width, channels]` of a frame.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Frame `k` as a picture.
    ///
    /// # Panics
    /// When there is no frame `k`.
    pub fn tile(&self, k: usize) -> Picture {
        let [height_px, width_px, channels] = self.shape;
        let length = height_px * width_px * channels;
        Picture {
            width_px,
            height_px,
            channels,
            levels: self.levels[k * length..(k + 1) * length].to_vec(),
        }
    }

    /// All frames edge to edge, row i and column j of the grid at row i and column j.
    pub fn atlas(&self) -> Picture {
        let [height, width, channels] = self.shape;
        // As they are held: the picture is read back.
        self.arranged(
            [width, height],
            channels,
            GridKind::Morph,
            |atlas, k, left, top| {
                atlas.put(&self.tile(k), left, top);
            },
        )
    }

    /// All frames in tiles of a multiple of 8 pixels each way, for JPEG, whose 8 x 8 blocks then
    /// belong to one frame each: a frame's last column and row are repeated into the rest.
    /// Frames larger than `max_side_px` are reduced to every n-th pixel. They stand as a grid of
    /// this kind is drawn. Gives the atlas, the size of a frame and that of a tile, `[width, height]`.
    pub fn padded_atlas(
        &self,
        max_side_px: usize,
        kind: GridKind,
    ) -> (Picture, [usize; 2], [usize; 2]) {
        let [height, width, channels] = self.shape;
        let skip = width.max(height).div_ceil(max_side_px.max(1));
        let frame = [width.div_ceil(skip), height.div_ceil(skip)];
        let tile = frame.map(|side| side.next_multiple_of(8));
        let atlas = self.arranged(tile, channels, kind, |atlas, k, left, top| {
            let whole = self.tile(k);
            let mut padded = Picture::filled(tile[0], tile[1], channels, 0);
            for y in 0..tile[1] {
                for x in 0..tile[0] {
                    let [from_x, from_y] = [x.min(frame[0] - 1) * skip, y.min(frame[1] - 1) * skip];
                    let from = (from_y * width + from_x) * channels;
                    let into = (y * tile[0] + x) * channels;
                    padded.levels[into..into + channels]
                        .copy_from_slice(&whole.levels[from..from + channels]);
                }
            }
            atlas.put(&padded, left, top);
        });
        (atlas, frame, tile)
    }

    fn arranged(
        &self,
        [width, height]: [usize; 2],
        channels: usize,
        kind: GridKind,
        mut place: impl FnMut(&mut Picture, usize, usize, usize),
    ) -> Picture {
        let mut atlas = Picture::filled(self.steps * width, self.steps * height, channels, 255);
        for k in 0..self.steps * self.steps {
            let [row, column] = kind.drawn_place(k, self.steps);
            place(&mut atlas, k, column * width, row * height);
        }
        atlas
    }
}

/// Frame `k` as the bytes of a PNG.
pub(super) fn tile_png(tiles: &Tiles, k: usize) -> Vec<u8> {
    tiles.tile(k).to_png()
}
