//! Tests of the API's description. Those of its behaviour are in the roof, which knows every room.

mod openapi;
