//! git (under construction)
