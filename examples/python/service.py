"""service.py - the client and the server of examples/service.c in Python; they work with
those in C.

    python3 service.py serve         # answers in capitals, letter by letter if it spells
    python3 service.py call TEXT
    python3 service.py spell TEXT

Kill the server with a request in its hands, and another one answers.
"""
import asyncio
import struct
import sys

import mmf

REQUEST = struct.Struct("=i200s")  # whether it spells, and the text


def open_service(role: mmf.Role) -> mmf.Service:
    return mmf.Service("Capitals", REQUEST.size, 200, 16, role=role)


def serve() -> None:
    with open_service(mmf.Role.SERVER) as capitals:
        print("Ready.", flush=True)
        for request in capitals:
            with request:  # without its last answer it goes to another server
                spells, text = REQUEST.unpack(bytes(request.data))
                text = text.partition(b"\0")[0]
                print(f'Delivery {request.deliveries} of "{text.decode()}". '
                      f"Press Enter to answer.", flush=True)
                if not sys.stdin.readline():
                    break
                answers = [text.upper()[at:at + 1] for at in range(len(text))]
                if not spells or not answers:
                    answers = [text.upper()]
                for at, answer in enumerate(answers):
                    request.answer(answer, more=at + 1 < len(answers))


async def ask(text: str, spells: bool) -> None:
    with open_service(mmf.Role.CLIENT) as capitals:
        request = REQUEST.pack(spells, text.encode())
        if not spells:
            print((await capitals.call_async(request)).decode())
            return
        call = await capitals.send_async(request)
        async for letter in capitals.answers_async(call):
            print(letter.decode())


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve()
    else:
        asyncio.run(ask(sys.argv[2], sys.argv[1] == "spell"))
