"""Files: up, down, albums, ids that belong to one bot."""

import pytest
from aiogram import Bot
from aiogram.types import BufferedInputFile, InputMediaDocument, InputMediaPhoto

from bots.sandbox.pictures import picture_size, sample_photo

IVAN = 1001
PICTURE = sample_photo()


def photo(name="act.png"):
    return BufferedInputFile(PICTURE, name)


def test_a_photo_of_a_person_is_downloaded_by_the_bot(chat, run):
    chat.sends_photo(PICTURE, caption="act")

    async def job(bot: Bot):
        message = (await bot.get_updates(offset=-1))[0].message
        file = await bot.get_file(message.photo[-1].file_id)
        small = await bot.download(message.photo[0])
        return message, file, (await bot.download_file(file.file_path)).read(), small.read()

    message, file, content, small = run(job)
    assert content == PICTURE == small
    assert file.file_size == len(PICTURE)
    assert file.file_path.startswith("photos/file_")
    assert message.caption == "act"
    widths = [size.width for size in message.photo]
    assert widths == sorted(widths)
    assert len(widths) > 2
    assert len({size.file_unique_id for size in message.photo}) == len(widths)


def test_a_document_goes_up_as_multipart_and_down_again(chat, run):
    content = bytes(range(256)) * 100

    async def job(bot: Bot):
        sent = await bot.send_document(
            IVAN, BufferedInputFile(content, "отчёт.csv"), caption="<b>Report</b>", parse_mode="HTML"
        )
        again = await bot.send_document(IVAN, sent.document.file_id)
        return sent, again, (await bot.download(sent.document)).read()

    sent, again, down = run(job)
    assert down == content
    assert sent.document.file_name == "отчёт.csv"
    assert sent.document.mime_type == "text/csv"
    assert sent.caption == "Report"
    assert again.document.file_unique_id == sent.document.file_unique_id
    assert chat.sees("Report").content() == content


def test_a_file_id_belongs_to_one_bot(sandbox, chat, run, refused):
    sandbox.person("Ivan", id=IVAN).chat("admin").starts()
    sent = run(lambda bot: bot.send_photo(IVAN, photo()))
    ours = sent.photo[-1]
    assert refused(lambda bot: bot.send_photo(IVAN, ours.file_id), bot="admin") == (
        "Bad Request: wrong file identifier/HTTP URL specified"
    )
    assert refused(lambda bot: bot.get_file(ours.file_id), bot="admin") == (
        "Bad Request: wrong file_id or the file is temporarily unavailable"
    )
    path = run(lambda bot: bot.get_file(ours.file_id)).file_path
    with pytest.raises(Exception, match="404"):
        run(lambda bot: bot.download_file(path), bot="admin")


def test_the_unique_id_is_the_same_for_every_bot(sb, sandbox, run):
    ivan = sandbox.person("Ivan", id=IVAN)
    group = sandbox.group(-500, "Team", bots=["master", "admin"], people=[ivan]).acts_as(ivan)
    group.sends_photo()
    seen = [run(lambda bot: bot.get_updates(offset=-1), bot=name)[0].message.photo[-1] for name in ("master", "admin")]
    assert seen[0].file_unique_id == seen[1].file_unique_id
    assert seen[0].file_id != seen[1].file_id


def test_wrong_kinds_are_refused(chat, run, refused):
    sent = run(lambda bot: bot.send_photo(IVAN, photo()))
    file_id = sent.photo[-1].file_id
    assert refused(lambda b: b.send_document(IVAN, file_id)) == "Bad Request: can't use file of type Photo as Document"
    not_a_picture = BufferedInputFile(b"hello", "x.jpg")
    assert refused(lambda b: b.send_photo(IVAN, not_a_picture)) == "Bad Request: IMAGE_PROCESS_FAILED"
    long_caption = "x" * 1025
    assert (
        refused(lambda b: b.send_photo(IVAN, photo(), caption=long_caption))
        == "Bad Request: message caption is too long"
    )
    assert refused(lambda b: b.send_photo(IVAN, "https://a.ru/x.png")) == "Bad Request: failed to get HTTP URL content"


def test_a_file_over_20_mb_cannot_be_fetched(chat, run, refused):
    chat.sends_document(b"%PDF", "big.pdf", size=21 * 1024 * 1024)
    document = run(lambda bot: bot.get_updates(offset=-1))[0].message.document
    assert document.file_size == 21 * 1024 * 1024
    assert refused(lambda bot: bot.get_file(document.file_id)) == "Bad Request: file is too big"


def test_an_album_of_the_bot(chat, run, refused):
    media = [
        InputMediaPhoto(media=photo(), caption="Three"),
        InputMediaPhoto(media=photo()),
        InputMediaPhoto(media=photo()),
    ]
    sent = run(lambda bot: bot.send_media_group(IVAN, media))
    assert len({m.media_group_id for m in sent}) == 1
    assert [m.caption for m in sent] == ["Three", None, None]
    assert "too few messages" in refused(lambda bot: bot.send_media_group(IVAN, media[:1]))
    mixed = [media[0], InputMediaDocument(media=BufferedInputFile(b"x", "x.txt"))]
    assert "can't be mixed" in refused(lambda bot: bot.send_media_group(IVAN, mixed))


def test_an_album_of_a_person(chat, run):
    chat.sends_album(3, caption="acts")
    messages = [u.message for u in run(lambda bot: bot.get_updates())][1:]
    assert len(messages) == 3
    assert len({m.media_group_id for m in messages}) == 1
    assert messages[0].caption == "acts"


def test_other_media_of_people(chat, run):
    chat.sends_sticker()
    chat.sends_voice()
    chat.sends_video(caption="v")
    messages = [u.message for u in run(lambda bot: bot.get_updates())][1:]
    assert [m.content_type for m in messages] == ["sticker", "voice", "video"]


def test_old_files_make_room(sb, chat, run, refused):
    sb.call(lambda world: setattr(world.files, "limit", len(PICTURE) * 2))
    first = run(lambda bot: bot.send_photo(IVAN, photo()))
    for _ in range(2):
        run(lambda bot: bot.send_photo(IVAN, photo()))
    assert "temporarily unavailable" in refused(lambda bot: bot.get_file(first.photo[-1].file_id))


def test_sizes_of_pictures():
    assert picture_size(PICTURE) == (480, 320)
    assert picture_size(b"GIF89a\x02\x00\x03\x00") == (2, 3)
    jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x07\x00\x09" + b"\0" * 20
    assert picture_size(jpeg) == (9, 7)
    assert picture_size(b"nothing") is None
    assert picture_size(b"\x89PNG\r\n\x1a\n") is None
