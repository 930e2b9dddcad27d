//! Why a job did not end in a result: a stable code, and a sentence for the person who uploaded the file.

use std::borrow::Cow;

/// What the service knows a failure by (`docs/media.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The file is not of the size that was declared.
    SizeMismatch,
    /// It cannot be read as a picture.
    NotAnImage,
    /// It cannot be read as a video.
    NotAVideo,
    /// Over the limit of pixels.
    TooManyPixels,
    /// Over an hour.
    TooLong,
    /// Over the limit of streams.
    TooManyStreams,
    /// Over the limit of frames a second.
    FrameRateTooHigh,
    /// It ends in its middle.
    Truncated,
    /// A codec or container this machine cannot read.
    Unsupported,
    /// It took longer than any file may.
    TimedOut,
    /// A fault of ours, or of the machine: another attempt may succeed.
    ProcessingFailed,
    /// The job was taken away, or this process was asked to stop.
    Cancelled,
}

impl Code {
    /// As it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SizeMismatch => "size_mismatch",
            Self::NotAnImage => "not_an_image",
            Self::NotAVideo => "not_a_video",
            Self::TooManyPixels => "too_many_pixels",
            Self::TooLong => "too_long",
            Self::TooManyStreams => "too_many_streams",
            Self::FrameRateTooHigh => "frame_rate_too_high",
            Self::Truncated => "truncated",
            Self::Unsupported => "unsupported",
            Self::TimedOut => "timed_out",
            Self::ProcessingFailed => "processing_failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The code written as `text`, where there is one.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::SizeMismatch,
            Self::NotAnImage,
            Self::NotAVideo,
            Self::TooManyPixels,
            Self::TooLong,
            Self::TooManyStreams,
            Self::FrameRateTooHigh,
            Self::Truncated,
            Self::Unsupported,
            Self::TimedOut,
            Self::ProcessingFailed,
            Self::Cancelled,
        ]
        .into_iter()
        .find(|code| code.as_str() == text)
    }

    /// Whether no attempt can succeed.
    pub fn is_permanent(self) -> bool {
        !matches!(self, Self::ProcessingFailed | Self::Cancelled)
    }
}

/// A job that did not succeed.
#[derive(Debug)]
pub struct Failure {
    /// What the service knows it by.
    pub code: Code,
    /// A sentence of ours, never text out of the file: the uploader reads it.
    pub detail: Cow<'static, str>,
    /// What the log is told beside it.
    pub cause: Option<anyhow::Error>,
}

/// A step of a job.
pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// A failure with a sentence for the uploader.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), cause: None }
    }

    /// The same, with what the log should know.
    pub fn because(self, cause: impl Into<anyhow::Error>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    /// The same, with the last words of a program for the log.
    pub fn after(self, words: &str) -> Self {
        if words.is_empty() { self } else { self.because(anyhow::Error::msg(words.to_owned())) }
    }

    /// Somebody asked to stop.
    pub fn cancelled() -> Self {
        Self::new(Code::Cancelled, "The work was stopped before its end.")
    }
}

/// Whatever has no code of its own is ours to mend, and worth another attempt.
impl From<anyhow::Error> for Failure {
    fn from(cause: anyhow::Error) -> Self {
        Self::new(Code::ProcessingFailed, "The server could not process the file.").because(cause)
    }
}

impl From<std::io::Error> for Failure {
    fn from(cause: std::io::Error) -> Self {
        anyhow::Error::from(cause).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_read_as_it_is_written() {
        for code in ["size_mismatch", "not_a_video", "truncated", "processing_failed", "cancelled"] {
            assert_eq!(Code::parse(code).map(Code::as_str), Some(code));
        }
        assert_eq!(Code::parse("on_fire"), None);
    }

    #[test]
    fn a_fault_of_ours_is_worth_another_attempt_and_a_bad_file_is_not() {
        assert!(!Failure::from(std::io::Error::other("disk full")).code.is_permanent());
        assert!(!Failure::cancelled().code.is_permanent());
        assert!(Code::NotAVideo.is_permanent() && Code::TimedOut.is_permanent());
    }
}
