//! Pictures from outside: what may be shown, and what is left of what may not.

use portreeve_core::icon::IconKind;
use portreeve_core::limits::Limits;
use portreeve_inspect::{NoPicture, picture};
use proptest::prelude::*;

/// The beginning of a PNG of this size: more is never read.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, 6, 0, 0, 0]);
    bytes
}

fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc0, 0, 17, 8];
    bytes.extend(height.to_be_bytes());
    bytes.extend(width.to_be_bytes());
    bytes.extend([3; 12]);
    bytes
}

fn webp(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"RIFF\0\0\0\0WEBPVP8X\n\0\0\0\0\0\0\0".to_vec();
    bytes.extend(&(width - 1).to_le_bytes()[..3]);
    bytes.extend(&(height - 1).to_le_bytes()[..3]);
    bytes
}

fn svg(inside: &str) -> Vec<u8> {
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 8 8">{inside}<path id="p" d="M0 0h8v8z"/></svg>"##
    )
    .into_bytes()
}

fn read(bytes: &[u8]) -> Result<IconKind, NoPicture> {
    picture(bytes, &Limits::default()).map(|picture| picture.kind)
}

fn cleaned(inside: &str) -> String {
    let picture = picture(&svg(inside), &Limits::default()).unwrap();
    assert_eq!(picture.kind, IconKind::Svg);
    String::from_utf8(picture.bytes).unwrap()
}

#[test]
fn the_bytes_say_what_a_picture_is() {
    assert_eq!(read(&png(64, 32)), Ok(IconKind::Png));
    assert_eq!(read(&jpeg(64, 32)), Ok(IconKind::Jpeg));
    assert_eq!(read(&webp(64, 32)), Ok(IconKind::Webp));
    assert_eq!(read(&svg("")), Ok(IconKind::Svg));
    let mut marked = b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?><!-- made by hand -->".to_vec();
    marked.extend(svg(""));
    assert_eq!(read(&marked), Ok(IconKind::Svg));
    let kept = png(64, 32);
    assert_eq!(picture(&kept, &Limits::default()).unwrap().bytes, kept);
}

#[test]
fn what_is_no_picture_is_told_apart() {
    for bytes in [
        &b""[..],
        b"GIF89a\x01\0\x01\0",
        b"<!doctype html><script>alert(1)</script>",
        b"\0\0\x01\0\x01\0",
        b"PK\x03\x04",
        b"{}",
    ] {
        assert_eq!(read(bytes), Err(NoPicture::Unknown), "{bytes:?}");
    }
    let broken = |kind| Err(NoPicture::Broken(kind));
    assert_eq!(read(b"\x89PNG\r\n\x1a\n"), broken(IconKind::Png));
    assert_eq!(read(&png(0, 8)), broken(IconKind::Png));
    assert_eq!(read(b"\xff\xd8\xff\xe0\0\x04"), broken(IconKind::Jpeg));
    let html = "<html><svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0'/></svg></html>";
    assert_eq!(read(html.as_bytes()), broken(IconKind::Svg));
    assert_eq!(read(&svg("<g>")), broken(IconKind::Svg));
    let prefixed = "<s:svg xmlns:s='http://www.w3.org/2000/svg'><s:path d='M0 0'/></s:svg>";
    assert_eq!(read(prefixed.as_bytes()), broken(IconKind::Svg));
}

#[test]
fn a_picture_has_a_size_that_a_page_can_bear() {
    let most = Limits::default().icon_pixels;
    let wide = u32::try_from(most).unwrap() + 1;
    assert_eq!(
        read(&png(wide, 8)),
        Err(NoPicture::TooLarge {
            width: most + 1,
            height: 8,
            most
        })
    );
    assert_eq!(read(&png(wide - 1, wide - 1)), Ok(IconKind::Png));
    assert!(read(&jpeg(8, u16::MAX)).is_err() && read(&webp(8, 16_000_000)).is_err());
    let bytes = Limits::default().icon_bytes;
    let mut long = png(8, 8);
    long.resize(bytes, 0);
    assert_eq!(read(&long), Ok(IconKind::Png));
    long.push(0);
    assert_eq!(read(&long), Err(NoPicture::TooLong(bytes)));
}

#[test]
fn nothing_in_an_svg_runs_or_asks_somebody() {
    for inside in [
        "<script>alert(1)</script>",
        "<script xlink:href='https://evil.example/a.js'/>",
        "<g onload='alert(1)' onclick='alert(1)'/>",
        "<a xlink:href='javascript:alert(1)'><path d='M1 1'/></a>",
        "<a href='https://evil.example/'><path d='M1 1'/></a>",
        "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'><img src='x' onerror='alert(1)'/></body></foreignObject>",
        "<image href='https://evil.example/track.png' width='1' height='1'/>",
        "<image xlink:href='//evil.example/track.png' width='1' height='1'/>",
        "<image href='data:image/svg+xml;base64,PHN2Zz48c2NyaXB0PmFsZXJ0KDEpPC9zY3JpcHQ+PC9zdmc+'/>",
        "<use href='https://evil.example/a.svg#x'/>",
        "<path d='M0 0' style='fill: url(https://evil.example/c)'/>",
        "<path d='M0 0' fill='url(https://evil.example/d#x)'/>",
        "<handler type='text/javascript'>alert(1)</handler>",
        "<iframe src='https://evil.example/'/>",
        "<?xml-stylesheet href='https://evil.example/a.css'?>",
        "<x:script xmlns:x='http://www.w3.org/2000/svg'>alert(1)</x:script>",
        "<g xml:base='https://evil.example/'/>",
    ] {
        let clean = cleaned(inside).to_lowercase();
        for bad in [
            "script",
            "alert",
            "evil.example",
            "onload",
            "onclick",
            "onerror",
            "foreignobject",
            "iframe",
            "handler",
            "svg+xml",
            "xml:base",
            "xml-stylesheet",
        ] {
            assert!(!clean.contains(bad), "`{bad}` is left of {inside}: {clean}");
        }
        assert!(clean.contains("m0 0h8v8z"), "the picture itself stays: {clean}");
    }
}

/// What is left of it changes nothing.
#[test]
fn an_animation_of_an_address_loses_its_target() {
    for inside in [
        "<set attributeName='href' to='javascript:alert(1)'/>",
        "<animate attributeName='xlink:href' values='javascript:alert(1)'/>",
    ] {
        let clean = cleaned(inside).to_lowercase();
        assert!(!clean.contains("attributename"), "{inside}: {clean}");
    }
}

#[test]
fn a_style_sheet_of_an_svg_fetches_nothing() {
    let clean = cleaned(
        "<style>@import url('https://evil.example/a.css'); @import 'https://evil.example/b.css'; \
         path { fill: url(https://evil.example/c); background: url(//evil.example/d) }</style>",
    );
    for bad in ["@import", "url(h", "url('h", "url(//", "url(\"h"] {
        assert!(!clean.contains(bad), "`{bad}` is left: {clean}");
    }
}

#[test]
fn what_a_picture_needs_stays() {
    let clean = cleaned(
        "<title>Acme</title><defs><linearGradient id='g'><stop offset='0' stop-color='#fff'/></linearGradient></defs>\
         <rect width='4' height='4' fill='url(#g)'/><use href='#p' x='1'/>\
         <image href='data:image/png;base64,AAAA' width='1' height='1'/>",
    );
    for kept in [
        "Acme",
        "linearGradient",
        "url(#g)",
        "#p",
        "data:image/png;base64,AAAA",
        "viewBox",
    ] {
        assert!(clean.contains(kept), "`{kept}` is missing: {clean}");
    }
    let again = picture(clean.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(
        String::from_utf8(again.bytes).unwrap(),
        clean,
        "it is clean already"
    );
}

#[test]
fn an_svg_does_not_unfold() {
    let laughs = r#"<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>"#;
    let mut bomb = laughs.as_bytes().to_vec();
    bomb.extend(svg("<text>&b;</text>"));
    assert_eq!(read(&bomb), Err(NoPicture::Entities));
    let copies = "<use href='#p'/>".repeat(17);
    assert_eq!(read(&svg(&copies)), Err(NoPicture::Copies));
    assert_eq!(read(&svg(&"<use href='#p'/>".repeat(16))), Ok(IconKind::Svg));
    // Escaping makes a text longer.
    let limit = Limits {
        icon_bytes: 4_000,
        ..Limits::default()
    };
    let growing = svg(&format!("<text>{}</text>", ">".repeat(2_000)));
    assert_eq!(picture(&growing, &limit), Err(NoPicture::TooLong(4_000)));
    let deep = format!("{}{}", "<g>".repeat(20_000), "</g>".repeat(20_000));
    drop(read(&svg(&deep)));
}

proptest! {
    #[test]
    fn any_bytes_are_a_picture_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        drop(read(&bytes));
        for start in [&b"\x89PNG\r\n\x1a\n"[..], b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBPVP8 "] {
            drop(read(&[start, &bytes].concat()));
        }
    }

    #[test]
    fn any_svg_comes_out_clean(inside in "(<(g|script|a|use|style|image|set|foreignObject)( (href|on[a-z]{2,6}|style|fill|xlink:href)=\"[a-z:/#()]{0,12}\"){0,2}(/>|>[a-z<>&/;]{0,9})){0,6}") {
        if let Ok(picture) = picture(&svg(&inside), &Limits::default()) {
            let text = String::from_utf8(picture.bytes).unwrap();
            prop_assert!(!text.contains("<script") && !text.contains("javascript:") && !text.contains("foreignObject"));
            prop_assert!(!text.contains(" on"), "{text}");
        }
    }
}
