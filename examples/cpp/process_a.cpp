// process_a.cpp - create the map "Cat" and write a message into it.
#include <mmf/mmf.hpp>

#include <algorithm>
#include <cstdio>
#include <iostream>

int
main()
try {
    auto cat = mmf::map::create_new("Cat", 10000);
    const std::string message = "HI Night Mo.";

    std::copy_n(mmf::as_bytes(message).begin(), message.size(), cat.bytes().begin());
    std::cout << "Message written to shared memory!" << std::endl;
    std::getchar();
    return 0;
} catch (const mmf::error &why) {
    std::cerr << "process_a: " << why.what() << '\n';
    return 1;
}
