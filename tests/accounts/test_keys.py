from accounts import keys


def test_it_works() -> None:
    key = keys.generate()

    assert key.startswith("sk_live_")
    assert len(key) == 8 + 36 + 6
    assert keys.is_well_formed(key)
    assert keys.matches(key, keys.digest(key))


def test_two_keys_differ() -> None:
    assert keys.generate() != keys.generate()


def test_a_mistyped_key_is_told_by_its_checksum() -> None:
    key = keys.generate()
    mistyped = key[:20] + ("a" if key[20] != "a" else "b") + key[21:]

    assert not keys.is_well_formed(mistyped)


def test_other_shapes_are_no_keys() -> None:
    for text in ("", "sk_live_", "sk_live_1234567890abcdef", keys.generate() + "x", keys.generate()[1:], "ключ" * 13):
        assert not keys.is_well_formed(text), text


def test_another_key_does_not_match() -> None:
    assert not keys.matches(keys.generate(), keys.digest(keys.generate()))
