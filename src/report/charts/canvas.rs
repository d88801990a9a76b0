//! What a chart is drawn on: plotters' backends, once as SVG and once as pixels, with one way to set text.
//!
//! Coordinates are whole pixels of a 300-dpi figure, 1772 to 15 cm, for both. The SVG keeps them as its user
//! units and says its size in centimetres; the bitmap draws everything [`OVERSAMPLING`] times as large and
//! takes the mean, since plotters' wide lines and polygons have no soft edges.
//!
//! Text goes around plotters' own: with `ab_glyph` it drops each glyph's side bearing and rounds advances to
//! pixels, and in an SVG it is a `<text>` that another machine sets in another font. Here the glyphs of the
//! embedded font are outlines in both, so a figure looks the same in a browser, in Word and on paper, and
//! no label that fitted here overlaps there. A reader without eyes gets the SVG's `<title>` and `<desc>`.

use super::font;
use super::outlines::Outlines;
use ab_glyph::{Font, PxScale};
use plotters::prelude::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingErrorKind, FontTransform,
};

/// Pixels of the drawn bitmap to one of the figure, along each axis.
pub(super) const OVERSAMPLING: u32 = 3;

/// A figure under way.
pub(super) enum Canvas<'a> {
    /// Shapes by plotters, then the text, both as SVG elements.
    Vector { shapes: SVGBackend<'a>, text: &'a mut Outlines },
    /// Pixels, [`OVERSAMPLING`] times as large as the figure.
    Raster { pixels: BitMapBackend<'a> },
}

/// What plotters could not draw.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct CanvasError(String);

type Drawn = Result<(), DrawingErrorKind<CanvasError>>;

fn drawn<E: std::error::Error + Send + Sync>(result: Result<(), DrawingErrorKind<E>>) -> Drawn {
    result.map_err(|error| DrawingErrorKind::DrawingError(CanvasError(error.to_string())))
}

/// A style with its stroke as wide as the bitmap needs it.
struct Enlarged {
    color: BackendColor,
    stroke_width: u32,
}

impl Enlarged {
    fn new(style: &impl BackendStyle) -> Self {
        Enlarged { color: style.color(), stroke_width: style.stroke_width() * OVERSAMPLING }
    }
}

impl BackendStyle for Enlarged {
    fn color(&self) -> BackendColor {
        self.color
    }

    fn stroke_width(&self) -> u32 {
        self.stroke_width
    }
}

/// The centre of a figure's pixel in the bitmap.
fn enlarged((x, y): BackendCoord) -> BackendCoord {
    let scale = OVERSAMPLING as i32;
    (x * scale + scale / 2, y * scale + scale / 2)
}

impl DrawingBackend for Canvas<'_> {
    type ErrorType = CanvasError;

    fn get_size(&self) -> (u32, u32) {
        match self {
            Canvas::Vector { shapes, .. } => shapes.get_size(),
            Canvas::Raster { pixels } => {
                let (width, height) = pixels.get_size();
                (width / OVERSAMPLING, height / OVERSAMPLING)
            }
        }
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        match self {
            Canvas::Vector { shapes, .. } => drawn(shapes.present()),
            Canvas::Raster { pixels } => drawn(pixels.present()),
        }
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Drawn {
        self.draw_rect(point, (point.0 + 1, point.1 + 1), &Enlarged { color, stroke_width: 0 }, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        match self {
            Canvas::Vector { shapes, .. } => drawn(shapes.draw_path(path, style)),
            Canvas::Raster { pixels } => {
                // Segment by segment with a disc at each bend: plotters would fill one polygon around the whole
                // path, which has holes where a jagged line crosses itself.
                let style = Enlarged::new(style);
                let points: Vec<BackendCoord> = path.into_iter().map(enlarged).collect();
                for pair in points.windows(2) {
                    drawn(pixels.draw_line(pair[0], pair[1], &style))?;
                }
                for bend in points.iter().skip(1).take(points.len().saturating_sub(2)) {
                    drawn(pixels.draw_circle(*bend, style.stroke_width / 2, &style, true))?;
                }
                Ok(())
            }
        }
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        match self {
            Canvas::Vector { shapes, .. } => drawn(shapes.draw_rect(upper_left, bottom_right, style, fill)),
            Canvas::Raster { pixels } => {
                // From edge to edge, not from centre to centre: rectangles that touch leave no gap.
                let corner = |(x, y): BackendCoord| (x * OVERSAMPLING as i32, y * OVERSAMPLING as i32);
                drawn(pixels.draw_rect(corner(upper_left), corner(bottom_right), &Enlarged::new(style), fill))
            }
        }
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        match self {
            Canvas::Vector { shapes, .. } => drawn(shapes.draw_circle(center, radius, style, fill)),
            Canvas::Raster { pixels } => drawn(pixels.draw_circle(
                enlarged(center),
                radius * OVERSAMPLING,
                &Enlarged::new(style),
                fill,
            )),
        }
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        match self {
            Canvas::Vector { shapes, .. } => drawn(shapes.fill_polygon(path, style)),
            Canvas::Raster { pixels } => {
                drawn(pixels.fill_polygon(path.into_iter().map(enlarged), &Enlarged::new(style)))
            }
        }
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<CanvasError>> {
        Ok((font::width(text, style.size()) as u32, style.size() as u32))
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, position: BackendCoord) -> Drawn {
        debug_assert!(matches!(style.transform(), FontTransform::None), "charts set no rotated text");
        let x = f64::from(position.0)
            - font::width(text, style.size())
                * match style.anchor().h_pos {
                    HPos::Left => 0.0,
                    HPos::Center => 0.5,
                    HPos::Right => 1.0,
                };
        // The height of a capital, and of a digit, is what the eye takes for the height of a label.
        let baseline = f64::from(position.1)
            + font::cap_height(style.size())
                * match style.anchor().v_pos {
                    VPos::Top => 1.0,
                    VPos::Center => 0.5,
                    VPos::Bottom => 0.0,
                };
        match self {
            Canvas::Vector { text: outlines, .. } => {
                outlines.set(text, style.size(), style.color(), x, baseline);
                Ok(())
            }
            Canvas::Raster { pixels } => set_pixels(pixels, text, style.size(), style.color(), x, baseline),
        }
    }
}

/// Draws each glyph's coverage, blended by the backend.
fn set_pixels(
    pixels: &mut BitMapBackend<'_>,
    text: &str,
    size: f64,
    color: BackendColor,
    x: f64,
    baseline: f64,
) -> Drawn {
    let scale = f64::from(OVERSAMPLING);
    let font = font::embedded();
    let (right, bottom) = pixels.get_size();
    let is_inside = |x: i32, y: i32| x >= 0 && y >= 0 && (x as u32) < right && (y as u32) < bottom;
    for (glyph, advance) in font::layout(text, size) {
        let origin = ab_glyph::point(((x + advance) * scale) as f32, (baseline * scale) as f32);
        let placed = glyph.with_scale_and_position(PxScale::from(font::scale(size * scale)), origin);
        let Some(outline) = font.outline_glyph(placed) else { continue };
        let corner = outline.px_bounds().min;
        let mut result = Ok(());
        outline.draw(|column, row, coverage| {
            let (x, y) = (corner.x as i32 + column as i32, corner.y as i32 + row as i32);
            if result.is_ok() && is_inside(x, y) {
                let alpha = color.alpha * f64::from(coverage).min(1.0);
                result = drawn(pixels.draw_pixel((x, y), BackendColor { alpha, ..color }));
            }
        });
        result?;
    }
    Ok(())
}
