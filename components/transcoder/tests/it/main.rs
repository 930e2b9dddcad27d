//! The worker on real files, with the real ffmpeg and libheif: what it makes of good ones, and that bad ones do no
//! harm. Needs ffmpeg (libx264, libx265, libvpx-vp9, libopus) and heif-enc; every file is made here.

#![allow(missing_docs, clippy::unwrap_used)]

mod hostile;
mod images;
mod kinds;
mod support;
mod transfers;
mod videos;
mod worker;
