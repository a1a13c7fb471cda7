// Process A in F#. `open Mmf` comes last: of two namespaces with one name, the later counts.
open System
open System.IO.MemoryMappedFiles
open System.Text
open System.Threading
open Mmf

let message = Encoding.UTF8.GetBytes "HI Night Mo."
let mutex = new Mutex(true, "Cat lock")
let map = MemoryMappedFile.CreateNew("Cat", 10000L)
let view = map.CreateViewAccessor()

if WaitHandle.WaitAny([| mutex :> WaitHandle |], 0) <> 0 then failwith "the mutex is not mine"
view.WriteArray(0L, message, 0, message.Length)
Console.WriteLine "Message written to shared memory!"
Console.ReadLine() |> ignore
view.Dispose()
map.Dispose()
mutex.Dispose()
